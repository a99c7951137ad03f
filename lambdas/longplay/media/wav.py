"""Checks a WAV file, and repairs the sizes in the header of one that was written as a stream."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path

from longplay.media.broken import BrokenMedia, Data, cut
from longplay.media.headers import Measures

REPAIRED = "The sizes in the header of this WAV file were missing. They were put in; the sound is unchanged."

# a writer that cannot go back to its header leaves 0 or the largest number; sox leaves 0x7FFFF000
_LEAST_PLACEHOLDER = 0x7FFF_F000
_MOST_CHUNKS = 1_000


@dataclass(frozen=True, kw_only=True)
class Wav:
    """The place and size of the sound in a file, in bytes; `declared` is the size in its header."""

    at: int
    declared: int
    present: int
    frame: int
    bytes_a_second: int
    rate: int
    channels: int
    format_at: int

    @property
    def is_streamed(self) -> bool:
        """Whether the header has a placeholder for the size."""
        return is_placeholder(self.declared)


def is_placeholder(size: int) -> bool:
    """Whether a size in a header was never filled in."""
    return size == 0 or size >= _LEAST_PLACEHOLDER


def read_wav(data: Data) -> Wav:
    """The sound of a file; raises BrokenMedia if it has none, or less than its header says."""
    channels = rate = speed = frame = format_at = 0
    for name, at, size in _chunks(data):
        if name == b"fmt " and at + 14 <= len(data):
            format_at = at
            channels, rate, speed, frame = struct.unpack_from("<2xHIIH", data, at)
        if name == b"data":
            wav = Wav(
                at=at,
                declared=size,
                present=len(data) - at,
                frame=max(frame, 1),
                bytes_a_second=speed,
                rate=rate,
                channels=channels,
                format_at=format_at,
            )
            return _checked(wav)
    raise cut("the sound")


def measure_wav(data: Data) -> Measures:
    """The duration, sample rate and channels; raises BrokenMedia."""
    wav = read_wav(data)
    seconds = min(wav.declared, wav.present) / wav.bytes_a_second if wav.bytes_a_second else None
    return Measures(seconds=seconds, rate=wav.rate or None, channels=wav.channels or None)


def repair_wav(path: Path) -> bool:
    """Put the real sizes into the header of a streamed file; whether it was one. Raises BrokenMedia."""
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        wav, length = read_wav(data), len(data)
        is_complete = not wav.is_streamed and not is_placeholder(struct.unpack_from("<I", data, 4)[0])
    if is_complete:
        return False
    size = wav.present - wav.present % wav.frame if wav.is_streamed else wav.declared
    end = wav.at + size if wav.is_streamed else length
    with path.open("r+b") as repaired:
        repaired.truncate(end)
        for at, number in ((4, end - 8), (wav.at - 4, size)):
            repaired.seek(at)
            repaired.write(struct.pack("<I", number))
    return True


def _checked(wav: Wav) -> Wav:
    if wav.present < wav.frame:
        raise BrokenMedia("the file has a header and no sound")
    if wav.declared > wav.present and not wav.is_streamed:
        raise cut(f"the sound has {wav.present:,} of {wav.declared:,} bytes: it")
    return wav


def _chunks(data: Data) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and size of each chunk."""
    at = 12
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(data):
            return
        name, size = struct.unpack_from("<4sI", data, at)
        yield name, at + 8, size
        at += 8 + size + size % 2
