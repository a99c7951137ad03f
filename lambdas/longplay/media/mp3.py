"""Walks through the frames of an MP3 file: its duration, and whether it reaches its end."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from longplay.media.broken import MOST_PARTS, BrokenMedia, Data, cut
from longplay.media.headers import Measures

# ISO 11172-3 and 13818-3, layer III: kbit/s and samples a second; version 3 is MPEG 1, 2 is MPEG 2, 0 is MPEG 2.5
_BIT_RATES = {
    True: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_SIDE_INFORMATION = {(True, False): 32, (True, True): 17, (False, False): 17, (False, True): 9}  # MPEG 1, mono
_LAYER_3 = 1
_MONO = 3


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One frame: its size in bytes, its samples, their rate, and where a count of all frames may stand in it."""

    bytes: int
    samples: int
    rate: int
    channels: int
    count_at: int


def frame_at(data: Data, at: int) -> Frame | None:
    """The frame that starts there, None if none does."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer, bits, rate = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version not in _RATES or layer != _LAYER_3 or bits in (0, 15) or rate == 3:
        return None
    first, hertz = version == 3, _RATES[version][rate]
    size = (144 if first else 72) * 1000 * _BIT_RATES[first][bits - 1] // hertz + (head[2] >> 1 & 1)
    mono = head[3] >> 6 == _MONO
    side = _SIDE_INFORMATION[first, mono]
    samples, channels = 1152 if first else 576, 1 if mono else 2
    return Frame(bytes=size, samples=samples, rate=hertz, channels=channels, count_at=at + 4 + side)


def measure_mp3(data: Data) -> Measures:
    """The duration, sample rate and channels.

    Raises BrokenMedia if a frame breaks off, or fewer are there than the first one announces.
    """
    at = _tag_end(data)
    first = frame_at(data, at)
    if first is None:
        return _unread(data, at)
    announced = _announced(data, first)
    frames = _frames(data, at)
    if announced is not None and frames < announced:
        raise cut(f"the sound has {frames:,} of {announced:,} frames: it")
    audible = frames if announced is None else max(frames - 1, 1)
    return Measures(seconds=audible * first.samples / first.rate, rate=first.rate, channels=first.channels)


def _frames(data: Data, at: int) -> int:
    """How many frames follow each other; after the last one may be tags."""
    count = 0
    while count < MOST_PARTS and (frame := frame_at(data, at)):
        at += frame.bytes
        count += 1
        if at > len(data):
            raise cut("the sound")
    return count


def _announced(data: Data, first: Frame) -> int | None:
    """The number of frames in the header that LAME and FFmpeg put into the first frame, which is silent."""
    mark = data[first.count_at : first.count_at + 4]
    if mark not in (b"Xing", b"Info") or len(data) < first.count_at + 12:
        return None
    flags, frames = struct.unpack_from(">II", data, first.count_at + 4)
    return frames if flags & 1 else None


def _tag_end(data: Data) -> int:
    """The end of an ID3 tag at the start: its size has seven bits in each byte (ID3v2, 3.1)."""
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    size = sum((byte & 0x7F) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
    return 10 + size


def _unread(data: Data, at: int) -> Measures:
    """Another sound after the tag, as far as can be told, if there is as much as one frame of it."""
    if len(data) - at < 100:
        raise BrokenMedia("the file has a header and no sound")
    return Measures()
