"""Checks that an image file reaches its end, by its structure; no pixel is decoded."""

from __future__ import annotations

import re
import struct
from zlib import crc32

from longplay.media.broken import MOST_PARTS, BrokenMedia, Data, cut

_CRITICAL = 0x20  # this bit of a chunk's first letter is clear if the image cannot be shown without it (PNG, 5.4)
# neither a stuffed byte, a fill byte nor a restart marker, which are all inside a scan (ITU T.81, B.1.1)
_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)
_END_OF_IMAGE, _START_OF_SCAN = 0xD9, 0xDA
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_WEBP_PIXELS = (b"VP8 ", b"VP8L", b"ANMF")


def check_png(data: Data) -> None:
    """Every chunk up to IEND is complete; raises BrokenMedia. The checksums of critical chunks are compared."""
    at, has_pixels = 8, False
    for _ in range(MOST_PARTS):
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            break
        if not name[0] & _CRITICAL and crc32(data[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise BrokenMedia(f"its chunk {name.decode('latin-1')} is damaged")
        if name == b"IEND" and has_pixels:
            return
        has_pixels |= name == b"IDAT"
        at = end
    raise cut("the image")


def check_jpeg(data: Data) -> None:
    """A scan and the end marker are there; raises BrokenMedia. The end of an embedded thumbnail does not count."""
    at, has_scan = 2, False
    for _ in range(MOST_PARTS):
        found = _MARKER.search(data, at)
        if found is None:
            break
        kind = found[1][0]
        if kind == _END_OF_IMAGE and has_scan:
            return
        at = found.end() + struct.unpack_from(">H", data, found.end())[0]
        has_scan |= kind == _START_OF_SCAN
    raise cut("the image")


def check_gif(data: Data) -> None:
    """Every block up to the trailer is complete; raises BrokenMedia."""
    at, has_image = 13 + _color_table(data[10]), False
    for _ in range(MOST_PARTS):
        kind = data[at]
        if kind == _TRAILER and has_image:
            return
        if kind not in (_EXTENSION, _IMAGE):
            break
        at = _blocks_end(data, at + 2 if kind == _EXTENSION else at + 11 + _color_table(data[at + 9]))
        has_image |= kind == _IMAGE
    raise cut("the image")


def check_webp(data: Data) -> None:
    """Every chunk is complete, and one has pixels; raises BrokenMedia."""
    end, at, has_pixels = 8 + struct.unpack_from("<I", data, 4)[0], 12, False
    if end > len(data):
        raise cut("the image")
    while at + 8 <= end:
        name, size = struct.unpack_from("<4sI", data, at)
        has_pixels |= name in _WEBP_PIXELS
        at += 8 + size
        if at > end:
            raise cut("the image")
        at += size % 2
    if not has_pixels:
        raise BrokenMedia("the image has no pixels")


def _color_table(flags: int) -> int:
    """The bytes of a color table after these flags (GIF89a, 18 and 20)."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _blocks_end(data: Data, at: int) -> int:
    """The end of a chain of blocks, each of which starts with its size; one of size 0 is the last."""
    while size := data[at]:
        at += 1 + size
    return at + 1
