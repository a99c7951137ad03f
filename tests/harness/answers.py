"""A grammar of the JSON in which servers wrap a file: how it is written, under which keys, and how deep."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

KEYS = (
    "audio",
    "wav",
    "audio_base64",
    "generated_audio",
    "generated_image",
    "image",
    "images",
    "video",
    "b64_json",
    "data",
    "output",
    "outputs",
    "result",
    "blob",
    "content",
    "artifacts",
    "base64",
    "predictions",
    "file",
    "array",
)
RATE_KEYS = ("sampling_rate", "sample_rate", "sampleRate", "samplingRate", "sr", "rate")


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _lines(data: bytes) -> str:
    return base64.encodebytes(data).decode()


def _data_uri(data: bytes) -> str:
    return f"data:application/octet-stream;base64,{_base64(data)}"


WRITTEN: Mapping[str, Callable[[bytes], str]] = {
    "base64": _base64,
    "in lines": _lines,
    "data URI": _data_uri,
    "URL-safe": lambda data: base64.urlsafe_b64encode(data).decode(),
    "without padding": lambda data: _base64(data).rstrip("="),
}
"""How a file is written as text."""

NESTED: Mapping[str, Callable[[Any, str], Any]] = {
    "alone": lambda inner, _: inner,
    "in a list": lambda inner, _: [inner],
    "under a key": lambda inner, key: {key: inner},
    "with facts beside it": lambda inner, key: {"id": "c6af9ac6-5f1e", "seed": 7, key: inner, "seconds": [0.2, 1.1]},
    "with the request beside it": lambda inner, key: {"inputs": _base64(b"\x89PNG\r\n\x1a\n" + bytes(90)), key: inner},
    "with no error": lambda inner, key: {"error": None, "message": "done", key: inner},
    "first of a list": lambda inner, key: [{key: inner}, {"index": 1}],
    "after an address": lambda inner, key: {"url": "https://example.com/a.wav", "files": {key: inner}},
}
"""How a value is put into another one; the second argument is a key."""

SAMPLED: Mapping[str, Callable[[list[float]], Any]] = {
    "samples": lambda samples: samples,
    "channels": lambda samples: [samples],
    "batch": lambda samples: [[samples]],
}
"""How samples are nested."""

RATED: Mapping[str, Callable[[Any, str, int], Any]] = {
    "beside": lambda samples, key, rate: {"audio": samples, key: rate},
    "as text": lambda samples, key, rate: {"audio": samples, key: str(rate)},
    "as a float": lambda samples, key, rate: {"audio": samples, key: float(rate)},
    "around": lambda samples, key, rate: {key: rate, "result": {"audio": samples}},
    "in an object": lambda samples, key, rate: {"audio": {"array": samples, key: rate}},
    "elsewhere": lambda samples, key, rate: {"generated_audio": samples, "config": {key: rate}},
}
"""How the rate of samples is stated."""
