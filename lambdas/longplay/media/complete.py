"""Tells whether the bytes of a still image are whole, from its structure: no pixel is decoded."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping

MOST_PARTS = 100_000  # chunks or segments read in one image; encoders write image data in parts of 8 KB or more

_FRAMELESS = (0x01, *range(0xD0, 0xD9))  # JPEG markers without a length (ITU-T T.81, table B.1)
_SOS, _EOI = 0xDA, b"\xff\xd9"


def missing_part(data: bytes, content_type: str) -> str | None:
    """The part that the image lacks, such as its end; None if it is whole, or of a type that is not known here."""
    find = _MISSING.get(content_type)
    try:
        return find(data) if find else None
    except struct.error:
        return "the rest of a part that has begun"


def _png(data: bytes) -> str | None:
    """Chunks of length, name, content and checksum, up to IEND (W3C PNG, 5.3)."""
    names = [name for name, end in _png_chunks(data) if end <= len(data)]
    if b"IDAT" not in names:
        return "its image data (IDAT)"
    return None if names[-1] == b"IEND" else "its end (IEND)"


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    at = 8
    for _ in range(MOST_PARTS):
        if at + 8 > len(data):
            return
        length, name = struct.unpack_from(">I4s", data, at)
        at += 12 + length
        yield name, at
        if name == b"IEND":
            return


def _jpeg(data: bytes) -> str | None:
    """Segments up to the image data, then the end marker. Bytes of image data never look like it (ITU-T T.81, B.1.1.5).

    Phones append other data after the end; it is not looked at.
    """
    at = 2
    for _ in range(MOST_PARTS):
        mark, kind = struct.unpack_from(">BB", data, at)
        if mark != 0xFF:
            return "a segment where one must begin"
        if kind == _SOS:
            return None if data.find(_EOI, at) >= 0 else "its end (EOI)"
        at += _jpeg_step(data, at, kind)
    return "its image data (SOS)"


def _jpeg_step(data: bytes, at: int, kind: int) -> int:
    """Bytes to the next marker. A 0xFF before a marker only fills."""
    if kind == 0xFF:
        return 1
    return 2 if kind in _FRAMELESS else 2 + int(struct.unpack_from(">H", data, at + 2)[0])


def _webp(data: bytes) -> str | None:
    """RIFF chunks; the size in front is that of all of them (Google: WebP container specification)."""
    (size,) = struct.unpack_from("<I", data, 4)
    if 8 + size > len(data):
        return "its end"
    return None if any(name in _WEBP_IMAGES for name in _riff_names(data)) else "its image data"


_WEBP_IMAGES = (b"VP8 ", b"VP8L", b"ANMF")


def _riff_names(data: bytes) -> Iterator[bytes]:
    """The names of the chunks that are there to their end."""
    at = 12
    for _ in range(MOST_PARTS):
        if at + 8 > len(data):
            return
        name, size = struct.unpack_from("<4sI", data, at)
        at += 8 + size + size % 2
        if at - size % 2 <= len(data):
            yield name


_MISSING: Mapping[str, Callable[[bytes], str | None]] = {"image/png": _png, "image/jpeg": _jpeg, "image/webp": _webp}
