"""Checks that a FLAC file ends with a complete frame, and with its last one (RFC 9639)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from itertools import islice

from longplay.media.broken import BrokenMedia, Data, cut

_LARGEST_FRAME = 1 << 18  # bytes in which the last frame is looked for
_MOST_STARTS = 3  # the start of the last frame may be followed by bytes that look like one
_ID3 = b"TAG"


def check_flac(data: Data) -> None:
    """The metadata is complete, and a frame ends where the file does; raises BrokenMedia."""
    sound, (block, samples) = _metadata_end(data), _stream_info(data)
    end = len(data) - 128 if data[-128:-125] == _ID3 else len(data)
    tail = data[max(sound, end - _LARGEST_FRAME) : end]
    if not tail:
        raise BrokenMedia("the file has a header and no sound")
    starts = islice(_frame_starts(tail), _MOST_STARTS)
    last = next((tail[at:] for at in starts if _crc(tail[at:], 0x8005, 16) == 0), None)
    if last is None or _last_sample(last, block) < samples:
        raise cut("the sound")


def _metadata_end(data: Data) -> int:
    """The end of the metadata blocks: a bit marks the last one, and 24 bits are its size (8.1)."""
    at, is_last = 4, False
    while not is_last:
        (head,) = struct.unpack_from(">I", data, at)
        is_last, at = bool(head >> 31), at + 4 + (head & 0xFFFFFF)
    if at > len(data):
        raise cut("the sound")
    return at


def _stream_info(data: Data) -> tuple[int, int]:
    """The samples of a block, and of the whole, 0 if that is not stated (8.2)."""
    block, bits = struct.unpack_from(">H8xQ", data, 8)
    return block, bits & (1 << 36) - 1


def _frame_starts(tail: bytes) -> Iterator[int]:
    """Where frames start, the last first: a mark of 15 bits, and a checksum over the header."""
    at = len(tail)
    while (at := tail.rfind(b"\xff", 0, at)) >= 0:
        if tail[at + 1 : at + 2] in (b"\xf8", b"\xf9") and _header_fits(tail[at : at + 16]):
            yield at


def _header_fits(head: bytes) -> bool:
    size = _header_size(head)
    return len(head) > size and _crc(head[: size + 1], 0x07, 8) == 0


def _header_size(head: bytes) -> int:
    """The bytes of a frame's header before its checksum (9.1)."""
    if len(head) < 5:
        return len(head)
    block = {6: 1, 7: 2}.get(head[2] >> 4, 0)
    rate = {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
    return 4 + _number(head)[1] + block + rate


def _number(head: bytes) -> tuple[int, int]:
    """The number of the frame or of its first sample, coded like UTF-8 with up to seven bytes, and its length."""
    first = head[4]
    length = max(8 - (first ^ 0xFF).bit_length(), 1)
    number = first & (0xFF >> length + (length > 1)) if length > 1 else first
    for byte in head[5 : 4 + length]:
        number = number << 6 | byte & 0x3F
    return number, length


def _last_sample(frame: bytes, block: int) -> int:
    """The number of the sample after a frame's last one."""
    number, length = _number(frame)
    is_sample = frame[1] & 1
    return (number if is_sample else number * block) + _block_size(frame, 4 + length)


def _block_size(frame: bytes, at: int) -> int:
    code = frame[2] >> 4
    if code in (6, 7):
        return int.from_bytes(frame[at : at + code - 5], "big") + 1
    return 192 if code == 1 else 576 << code - 2 if code < 6 else 256 << code - 8


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    """The checksum of a header (8 bits) or a frame (16 bits); 0 over data that ends with its own checksum."""
    table, crc, most = _crc_table(polynomial, bits), 0, (1 << bits) - 1
    for byte in data:
        crc = (crc << 8 & most) ^ table[crc >> bits - 8 ^ byte]
    return crc


@cache
def _crc_table(polynomial: int, bits: int) -> list[int]:
    return [_crc_of(byte, polynomial, bits) for byte in range(256)]


def _crc_of(byte: int, polynomial: int, bits: int) -> int:
    crc = byte << bits - 8
    for _ in range(8):
        crc = (crc << 1 ^ polynomial if crc >> bits - 1 else crc << 1) & (1 << bits) - 1
    return crc
