"""Detects the all-black image that a safety checker returns: it is a complete and valid file."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from longplay.media.files import MediaFile

_CHUNK = 64 * 1024
_CHANNELS = {0: 1, 2: 3}  # by color type, those without alpha or palette: gray and RGB (W3C PNG, 11.2.1)


def is_black(media: MediaFile) -> bool:
    """Whether a gray or RGB PNG is all black; False for other files. Stops at the first bright pixel."""
    if media.content_type != "image/png":
        return False
    with media.path.open("rb") as file:
        depth, color = struct.unpack(">2B", file.read(26)[24:26])
        if depth != 8 or color not in _CHANNELS or media.width is None or media.height is None:
            return False
        row = 1 + media.width * _CHANNELS[color]
        return _rows_are_dark(_inflated(file, most=row * media.height), row)


def _rows_are_dark(pieces: Iterator[bytes], row: int) -> bool:
    """Each row starts with its filter byte, which is skipped. With any filter, only black rows are all zeros."""
    done = 0
    for piece in pieces:
        pixels = bytearray(piece)
        first = -done % row
        pixels[first::row] = bytes(len(range(first, len(pixels), row)))
        if any(pixels):
            return False
        done += len(piece)
    return done > 0


def _inflated(file: BinaryIO, *, most: int) -> Iterator[bytes]:
    """The decompressed image data in chunks, at most `most` bytes; stops at broken data."""
    inflate, left = zlib.decompressobj(), most
    for packed in _data(file):
        while packed and left > 0:
            try:
                piece = inflate.decompress(packed, min(_CHUNK, left))
            except zlib.error:
                return
            packed, left = inflate.unconsumed_tail, left - len(piece)
            yield piece


def _data(file: BinaryIO) -> Iterator[bytes]:
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        if name == b"IDAT":
            yield from _read(file, length)
        else:
            file.seek(length, 1)
        file.seek(4, 1)  # the checksum


def _read(file: BinaryIO, length: int) -> Iterator[bytes]:
    while length > 0 and (piece := file.read(min(_CHUNK, length))):
        length -= len(piece)
        yield piece
