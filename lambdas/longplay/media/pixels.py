"""Whether an image shows anything: a safety checker's black one is a whole and valid file."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from longplay.media.files import MediaFile

_CHUNK = 64 * 1024
_CHANNELS = {0: 1, 2: 3}  # of the color types without alpha or palette: gray and RGB (W3C PNG, 11.2.1)


def is_black(media: MediaFile) -> bool:
    """Whether a PNG of gray or RGB is black all over; of other files it says no. Ends at the first bright pixel."""
    if media.content_type != "image/png":
        return False
    with media.path.open("rb") as file:
        depth, color = struct.unpack(">2B", file.read(26)[24:26])
        if depth != 8 or color not in _CHANNELS or media.width is None or media.height is None:
            return False
        row = 1 + media.width * _CHANNELS[color]
        return _rows_are_dark(_inflated(file, most=row * media.height), row)


def _rows_are_dark(pieces: Iterator[bytes], row: int) -> bool:
    """Each row begins with its filter; whichever it is, nothing but black is made of zeros alone."""
    seen = 0
    for piece in pieces:
        bright = bytearray(piece)
        first = -seen % row
        bright[first::row] = bytes(len(range(first, len(bright), row)))
        if any(bright):
            return False
        seen += len(piece)
    return seen > 0


def _inflated(file: BinaryIO, *, most: int) -> Iterator[bytes]:
    """The image's data a piece at a time, at most so many bytes; what is broken ends it."""
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
