"""Reads a WebM file: duration, pixel size, and whether it reaches its end (RFC 8794, RFC 9559)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TypeAlias

from longplay.media.broken import MOST_PARTS, Data, cut
from longplay.media.headers import Measures

_SEGMENT, _INFO, _TRACKS, _CLUSTER = 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_SCALE, _DURATION = 0x2AD7B1, 0x4489
_TRACK, _VIDEO, _WIDTH, _HEIGHT = 0xAE, 0xE0, 0xB0, 0xBA
_USUAL_SCALE = 1_000_000  # nanoseconds a unit

Element: TypeAlias = tuple[int, int, int]
"""Id, start and end of the content."""


def measure_webm(data: Data) -> Measures:
    """Duration and pixel size, as far as they are stated; raises BrokenMedia if the last element breaks off."""
    seconds, size, has_content = None, (0, 0), False
    for name, start, end in _elements(data, 0, len(data), into=(_SEGMENT, _CLUSTER)):
        if end > len(data):
            raise cut("the file")
        has_content |= name == _CLUSTER
        if name == _INFO:
            seconds = _seconds(data, start, end)
        if name == _TRACKS:
            size = _pixels(data, start, end) or size
    if not has_content:
        raise cut("the file")
    return Measures(seconds=seconds, width=size[0] or None, height=size[1] or None)


def _elements(data: Data, at: int, end: int, *, into: tuple[int, ...] = ()) -> Iterator[Element]:
    """The elements from `at` on; after those in `into`, the ones inside them follow."""
    for _ in range(MOST_PARTS):
        if at >= end:
            return
        name, at = _number(data, at, keep_mark=True)
        size, start = _number(data, at, keep_mark=False)
        is_unknown = size == (1 << 7 * (start - at)) - 1
        stop = end if is_unknown else start + size
        yield name, start, stop
        at = start if name in into else stop


def _number(data: Data, at: int, *, keep_mark: bool) -> tuple[int, int]:
    """A number of variable length and its end: the first set bit says how many bytes it has (RFC 8794, 4)."""
    length = 9 - data[at].bit_length()
    if length > 8 or at + length > len(data):
        raise cut("the file")
    number = int.from_bytes(data[at : at + length], "big")
    return (number if keep_mark else number & (1 << 7 * length) - 1), at + length


def _seconds(data: Data, start: int, end: int) -> float | None:
    found = {name: data[at:stop] for name, at, stop in _elements(data, start, end)}
    scale = int.from_bytes(found.get(_SCALE, b"")[:8], "big") or _USUAL_SCALE
    layout = {4: ">f", 8: ">d"}.get(len(found.get(_DURATION, b"")))
    units: float = struct.unpack(layout, found[_DURATION])[0] if layout else 0.0
    return units * scale / 1e9 or None


def _pixels(data: Data, start: int, end: int) -> tuple[int, int] | None:
    for name, at, stop in _elements(data, start, end, into=(_TRACK,)):
        if name == _VIDEO:
            found = {inner: data[first:last] for inner, first, last in _elements(data, at, stop)}
            width, height = (int.from_bytes(found.get(side, b""), "big") for side in (_WIDTH, _HEIGHT))
            return (width, height) if width and height else None
    return None
