"""Walks through the pages of an Ogg file: its duration, and whether it reaches its end (RFC 3533)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from longplay.media.broken import MOST_PARTS, Data, cut
from longplay.media.headers import Measures

_LAST, _NO_PACKET_ENDS = 4, 2**64 - 1
_OPUS_RATE = 48_000  # of every Opus stream's positions (RFC 7845, 4)


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page: the stream it belongs to, the position (in samples) at its end, and its content's first bytes."""

    stream: int
    position: int
    is_last: bool
    head: bytes


def measure_ogg(data: Data) -> Measures:
    """The duration, sample rate and channels of the first stream; raises BrokenMedia for a stream that does not end."""
    pages = list(_pages(data))
    own = [page for page in pages if page.stream == pages[0].stream]
    if not own or not own[-1].is_last:
        raise cut("the sound")
    rate, skipped, channels = _clock(own[0].head)
    end = max((page.position for page in own if page.position != _NO_PACKET_ENDS), default=0)
    seconds = max(end - skipped, 0) / rate if rate else None
    return Measures(seconds=seconds, rate=rate or None, channels=channels or None)


def _pages(data: Data) -> Iterator[Page]:
    at = 0
    for _ in range(MOST_PARTS):
        if data[at : at + 4] != b"OggS":
            return  # the end, or something appended
        flags, position, stream, parts = struct.unpack_from("<5xBQI8xB", data, at)
        start = at + 27 + parts
        at = start + sum(data[at + 27 : start])
        if at > len(data):
            raise cut("the sound")
        yield Page(
            stream=stream, position=position, is_last=bool(flags & _LAST), head=data[start : min(at, start + 32)]
        )


def _clock(head: bytes) -> tuple[int, int, int]:
    """Samples a second, samples skipped at the start, and channels, from a stream's first packet.

    All are 0 if it is of another codec.
    """
    if head[:8] == b"OpusHead" and len(head) >= 12:
        return _OPUS_RATE, struct.unpack_from("<H", head, 10)[0], head[9]
    if head[:7] == b"\x01vorbis" and len(head) >= 16:
        return struct.unpack_from("<I", head, 12)[0], 0, head[11]
    return 0, 0, 0
