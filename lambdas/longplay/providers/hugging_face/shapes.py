"""Finds the media in a JSON answer of any shape: a file in base64, or the samples of a sound."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

from longplay.media.files import HEAD, is_text, sniff
from longplay.media.samples import Samples, is_sound

MUSICGEN_RATE = 32_000  # samples a second, if the answer does not say
LEAST_UNKNOWN = 2_048  # bytes of base64 of unknown type; a shorter text may be an id
LEAST_VARIETY = 16  # different bytes at the start of one; a text of few letters may be a line in a log

_DEEPEST = 16
_MOST_VALUES = 10_000
_OF_THE_REQUEST = frozenset({"input", "inputs", "prompt", "parameters", "request", "init_image", "mask"})
_RATES = frozenset({"samplingrate", "samplerate", "framerate", "rate", "sr", "fs"})
_ERRORS = ("error", "errors", "estimated_time")
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_URL_SAFE = str.maketrans("-_", "+/", " \t\r\n")


@dataclass(frozen=True, kw_only=True)
class Sound:
    """Samples as numbers, nested one to three deep, and how many there are a second."""

    samples: Samples
    sampling_rate: Any


Found: TypeAlias = bytes | Sound


@dataclass(frozen=True, kw_only=True)
class _Value:
    """A text or a list of numbers in the answer, with the rate that is stated nearest to it."""

    value: Any
    rate: Any


def media_in(payload: Any, kind: str) -> Found | None:
    """The best result for this kind of generation: a file of it, then samples, then any other file; None if none."""
    values = list(islice(_values(payload, None, 0), _MOST_VALUES))
    files = [data for value in values if isinstance(value.value, str) and (data := from_base64(value.value))]
    own = next((data for prefix in _PREFIXES[kind] for data in files if _type(data).startswith(prefix)), None)
    return own or (_sound(payload, values) if kind == "music" else None) or _other(files)


def is_error(payload: Any) -> bool:
    """Whether an answer without media is an error: it names one, or says how long its model takes to load."""
    first = payload[0] if isinstance(payload, list) and payload else payload
    return isinstance(first, dict) and any(first.get(key) not in (None, "", [], {}, False) for key in _ERRORS)


def has_address(payload: Any) -> bool:
    """Whether an answer names the address of a file instead of having the file."""
    texts = (found.value for found in islice(_values(payload, None, 0), _MOST_VALUES))
    return any(isinstance(text, str) and _ADDRESS.match(text) for text in texts)


def from_base64(text: str) -> bytes | None:
    """The bytes of base64 text (also URL-safe, or without padding) or of a data URI; None for any other text."""
    encoded = text.partition(",")[2] if text.startswith("data:") else text
    if _ADDRESS.match(encoded):
        return None
    plain = encoded.translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


# a sound may be in a container that usually has a video
_PREFIXES = {"music": ("audio/", "video/mp4", "video/webm"), "image": ("image/",), "video": ("video/", "image/gif")}


def _type(data: bytes) -> str:
    return sniff(data[:HEAD]) or ""


def _values(payload: Any, rate: Any, depth: int) -> Iterator[_Value]:
    """Texts and lists of numbers, those of the outermost level first."""
    if isinstance(payload, str) or is_sound(payload):
        yield _Value(value=payload, rate=rate)
    elif depth < _DEEPEST and isinstance(payload, dict):
        own = _stated_rate(payload, rate)
        members = [value for key, value in payload.items() if key.lower() not in _OF_THE_REQUEST]
        for member in sorted(members, key=_nesting):
            yield from _values(member, own, depth + 1)
    elif depth < _DEEPEST and isinstance(payload, list):
        for member in payload[:_MOST_VALUES]:
            yield from _values(member, rate, depth + 1)


def _nesting(value: Any) -> bool:
    return isinstance(value, dict | list)


def _stated_rate(members: dict[str, Any], outer: Any) -> Any:
    named = (value for key, value in members.items() if re.sub("[^a-z]", "", key.lower()) in _RATES)
    return next((_whole(value) for value in named if value is not None), outer)


def _whole(value: Any) -> Any:
    """A rate as a whole number, however it is written; any other value as it is."""
    text = str(value).strip().removesuffix(".0")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) and not isinstance(value, bool) else value


def _sound(payload: Any, values: list[_Value]) -> Sound | None:
    """The longest list of numbers, with its rate, or else any that the answer states."""
    sounds = [value for value in values if isinstance(value.value, list)]
    if not sounds:
        return None
    longest = max(sounds, key=lambda found: _length(found.value))
    rate = longest.rate if longest.rate is not None else next(_all_rates(payload, 0), MUSICGEN_RATE)
    return Sound(samples=longest.value, sampling_rate=rate)


def _length(samples: Any) -> int:
    while isinstance(samples[0], list):
        samples = samples[0]
    return len(samples)


def _all_rates(payload: Any, depth: int) -> Iterator[Any]:
    if isinstance(payload, dict) and depth < _DEEPEST:
        rate = _stated_rate(payload, None)
        yield from [] if rate is None else [rate]
        for member in payload.values():
            yield from _all_rates(member, depth + 1)
    elif isinstance(payload, list) and depth < _DEEPEST and not is_sound(payload):
        for member in payload[:_MOST_VALUES]:
            yield from _all_rates(member, depth + 1)


def _other(files: list[bytes]) -> bytes | None:
    """A file of another kind, which is then refused by its name, or one of unknown type, which is kept."""
    known = next(filter(_type, files), None)
    return known or next(filter(_may_be_media, files), None)


def _may_be_media(data: bytes) -> bool:
    head = data[:LEAST_UNKNOWN]
    return len(head) == LEAST_UNKNOWN and len(set(head)) >= LEAST_VARIETY and not is_text(head)
