"""Reads the media in an answer of Hugging Face's contract: plain bytes, or JSON with base64 or samples."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.media.files import HEAD, BrokenMedia, MediaFile, Samples, sniff, write_wav
from longplay.providers.credential import Credential
from longplay.providers.http_client import Answer, server_of
from longplay.providers.hugging_face.refusals import explain
from longplay.providers.protocol import Call
from longplay.providers.refusals import read_refusal
from longplay.providers.results import bad_output, read_result

LARGEST_JSON = 32_000_000  # bytes; 30 s of audio as a list of numbers has 10 to 20 MB
MOST_VALUES = 4_000_000  # samples of two minutes of audio; each is a Python object in a worker of 512 MB
MUSICGEN_RATE = 32_000  # samples a second, if a tutorial-style handler does not say

_MEDIA_KEYS = ("image", "images", "video", "videos", "audio", "b64_json", "data", "output", "blob")
_DEEPEST = 4


@dataclass(frozen=True, kw_only=True)
class _Audio:
    samples: Samples
    sampling_rate: int


def read_media(answer: Answer, call: Call, credential: Credential) -> MediaFile:
    """The file in a 2xx answer, typed by its bytes; raises ProviderError if it is not of the call's kind."""
    return read_result(answer.body if sniff(_head(answer)) else _unpack(answer, call, credential), call)


def _head(answer: Answer) -> bytes:
    with answer.body.open("rb") as file:
        return file.read(HEAD)


def _unpack(answer: Answer, call: Call, credential: Credential) -> Path:
    """Write the media in a JSON answer to a file."""
    content = _content(_json(answer, call))
    path = call.folder / "output"
    if isinstance(content, _Audio):
        _write_audio(content, path, call)
    elif isinstance(content, str) and (data := _base64(content)):
        path.write_bytes(data)
    else:
        raise _no_media(answer, call, credential)
    return path


def _json(answer: Answer, call: Call) -> Any:
    first = _head(answer).lstrip()[:1]
    if first not in (b"{", b"[", b'"'):
        raise _not_json(answer, call, first)
    if answer.bytes > LARGEST_JSON:
        raise bad_output(call, f"it sent {answer.bytes:,} bytes of JSON, more than {LARGEST_JSON:,}")
    body = answer.body.read_bytes()
    if body.count(b",") > MOST_VALUES:
        raise bad_output(call, f"its JSON contains more than {MOST_VALUES:,} values")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad_output(call, "its JSON cannot be read") from error


def _content(payload: Any, depth: int = 0) -> _Audio | str | None:
    """Audio samples, or text that may be a base64 file, from the first key of a payload that servers use for it."""
    match payload:
        case str():
            return payload
        case {"generated_audio": [*_] as samples} | {"audio": [float() | int() | list(), *_] as samples}:
            return _Audio(samples=samples, sampling_rate=payload.get("sampling_rate", MUSICGEN_RATE))
        case [dict() | str() as first, *_] if depth < _DEEPEST:
            return _content(first, depth + 1)
        case dict() if depth < _DEEPEST:
            return _content(next((payload[key] for key in _MEDIA_KEYS if key in payload), None), depth + 1)
    return None


def _write_audio(audio: _Audio, path: Path, call: Call) -> None:
    try:
        write_wav(audio.samples, audio.sampling_rate, path)
    except BrokenMedia as error:
        raise bad_output(call, str(error)) from error


def _base64(text: str) -> bytes | None:
    """The bytes of base64 text or of a data URI; None for any other text."""
    encoded = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _not_json(answer: Answer, call: Call, first: bytes) -> ProviderError:
    if not answer.bytes:
        return ProviderError(
            FailureKind.UPSTREAM,
            f"the answer is empty: {server_of(call.url)} sent nothing for {call.model}; "
            "the call may have run and been billed",
            charged=Charged.UNKNOWN,
        )
    if first == b"<":
        return bad_output(call, "it sent an HTML page. Check the server's address", charged=Charged.UNKNOWN)
    return bad_output(call, "it sent a file of unknown type")


def _no_media(answer: Answer, call: Call, credential: Credential) -> ProviderError:
    """The error of an answer that is a refusal with status 200, or JSON of an unknown shape."""
    refusal = read_refusal(answer, secret=credential.token)
    if refusal.said or refusal.estimated_time is not None:
        return explain(refusal, call, credential)
    return bad_output(call, "its JSON contains no audio, image or video")
