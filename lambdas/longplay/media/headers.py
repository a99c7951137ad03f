"""Reads pixel size and duration from the headers of an untrusted file.

A size declared in the file is always capped by the real size of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

MOST_PARTS = 1_000  # chunks, segments or boxes read in one file


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Duration in seconds, samples a second, channels, and size in pixels; None if the file does not say."""

    seconds: float | None = None
    rate: int | None = None
    channels: int | None = None
    width: int | None = None
    height: int | None = None


def measure(file: BinaryIO, content_type: str) -> Measures:
    """The dimensions in an open file's headers; empty if they are broken or the type has no reader."""
    read = _READERS.get(content_type)
    try:
        return read(file) if read else Measures()
    except (struct.error, ZeroDivisionError):
        return Measures()


def _png(file: BinaryIO) -> Measures:
    width, height = struct.unpack(">16x2I", file.read(24))
    return _pixels(width, height)


def _gif(file: BinaryIO) -> Measures:
    return _pixels(*struct.unpack("<6x2H", file.read(10)))


def _jpeg(file: BinaryIO) -> Measures:
    """The frame header (C0 to CF, except the tables C4, C8, CC) comes after segments that start with their length."""
    file.seek(2)
    for _ in range(MOST_PARTS):
        mark, kind, size = struct.unpack(">BBH", file.read(4))
        if mark != 0xFF:
            break
        if kind == 0xFF:  # it fills the space before a marker (ITU-T T.81, B.1.1.2)
            file.seek(-3, 1)
            continue
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">x2H", file.read(5))
            return _pixels(width, height)
        file.seek(max(size - 2, 0), 1)
    return Measures()


def _webp(file: BinaryIO) -> Measures:
    head = file.read(30)
    read = {b"VP8 ": _webp_lossy, b"VP8L": _webp_lossless, b"VP8X": _webp_extended}.get(head[12:16])
    return _pixels(*read(head)) if read else Measures()


def _webp_lossy(head: bytes) -> tuple[int, int]:
    width, height = struct.unpack("<26x2H", head)
    return width & 0x3FFF, height & 0x3FFF


def _webp_lossless(head: bytes) -> tuple[int, int]:
    (bits,) = struct.unpack_from("<I", head, 21)
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1


def _webp_extended(head: bytes) -> tuple[int, int]:
    return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1


def _wav(file: BinaryIO) -> Measures:
    bytes_a_second = 0
    for name, start, end in _riff_chunks(file):
        if name == b"fmt ":
            (bytes_a_second,) = struct.unpack("<8xI", file.read(12))
        if name == b"data":
            return Measures(seconds=(end - start) / bytes_a_second)
    return Measures()


def _riff_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    length, at = file.seek(0, 2), 12
    for _ in range(MOST_PARTS):
        file.seek(at)
        name, size = struct.unpack("<4sI", file.read(8))
        yield name, at + 8, min(at + 8 + size, length)
        at += 8 + size + size % 2


def _flac(file: BinaryIO) -> Measures:
    """STREAMINFO comes first: 20 bits of sampling rate, 3 of channels, 5 of depth, 36 of sample count."""
    (bits,) = struct.unpack(">18xQ", file.read(26))
    samples, rate = bits & (1 << 36) - 1, bits >> 44
    return Measures(seconds=samples / rate if samples else None, rate=rate or None, channels=(bits >> 41 & 7) + 1)


def _mp4(file: BinaryIO) -> Measures:
    for name, start, end in _boxes(file, 0, file.seek(0, 2)):
        if name == b"moov":
            return _movie(file, start, end)
    return Measures()


def _movie(file: BinaryIO, start: int, end: int) -> Measures:
    seconds, width, height = None, 0, 0
    for name, inner, inner_end in _boxes(file, start, end):
        if name == b"mvhd":
            seconds = _movie_seconds(file.read(32))
        if name == b"trak":
            width, height = max((width, height), _track_size(file, inner, inner_end))
    return Measures(seconds=seconds, width=width or None, height=height or None)


def _movie_seconds(header: bytes) -> float | None:
    """Version 1 has 64-bit times (ISO 14496-12, 8.2.2). A fragmented video has duration 0."""
    scale, units = struct.unpack_from(">20xIQ" if header[:1] == b"\x01" else ">12xII", header)
    return units / scale or None


def _track_size(file: BinaryIO, start: int, end: int) -> tuple[int, int]:
    """Pixel size of a track, 0 x 0 for audio: the header's last eight bytes, in 16.16 fixed point."""
    for name, _, inner_end in _boxes(file, start, end):
        if name == b"tkhd":
            file.seek(inner_end - 8)
            width, height = struct.unpack(">2I", file.read(8))
            return width >> 16, height >> 16
    return 0, 0


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of each box's content. The file position is at that start when a box is yielded."""
    at = start
    for _ in range(MOST_PARTS):
        if at + 8 > end:
            return
        file.seek(at)
        size, name = struct.unpack(">I4s", file.read(8))
        header = 8
        if size == 1:
            (size,), header = struct.unpack(">Q", file.read(8)), 16
        box_end = min(at + size, end) if size else end
        yield name, at + header, box_end
        at = max(box_end, at + header)


def _pixels(width: int, height: int) -> Measures:
    return Measures(width=width, height=height) if width and height else Measures()


_READERS: dict[str, Callable[[BinaryIO], Measures]] = {
    "image/png": _png,
    "image/gif": _gif,
    "image/jpeg": _jpeg,
    "image/webp": _webp,
    "audio/wav": _wav,
    "audio/flac": _flac,
    "audio/mp4": _mp4,
    "video/mp4": _mp4,
    "video/quicktime": _mp4,
}
