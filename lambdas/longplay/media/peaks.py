"""The waveform of a WAV file in few numbers, for players that draw it before they have the sound."""

from __future__ import annotations

import math
import struct
import sys
from array import array
from itertools import pairwise

from longplay.media.broken import BrokenMedia, Data
from longplay.media.wav import read_wav

PAIRS = 512  # of the lowest and the highest sample of a piece of the sound
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_CODES = {(_PCM, 16): ("h", 32_768.0), (_PCM, 32): ("i", 2.0**31), (_FLOAT, 32): ("f", 1.0), (_FLOAT, 64): ("d", 1.0)}


def peaks_of(data: Data) -> list[float]:
    """The lowest and the highest sample of each of 512 pieces in turn, from -1 to 1; of all channels together.

    Raises BrokenMedia for a sound of a sample format that is not read.
    """
    sound = read_wav(data)
    size = min(sound.declared or sound.present, sound.present)
    samples, full = _samples(data[sound.at : sound.at + size], _sample_format(data, sound.format_at))
    if not samples:
        raise BrokenMedia("the file has no sound")
    pieces = min(PAIRS, len(samples))
    ends = [len(samples) * piece // pieces for piece in range(pieces + 1)]
    found: list[float] = []
    for begin, end in pairwise(ends):
        piece = samples[begin:end]
        found += [_share(min(piece), full), _share(max(piece), full)]
    return found


def _share(sample: float, full: float) -> float:
    share = 0.0 if math.isnan(sample) else sample / full
    return round(max(-1.0, min(1.0, share)), 4)


def _samples(sound: bytes, form: tuple[int, int]) -> tuple[array[int] | array[float], float]:
    """The samples, and the one of full scale."""
    kind, bits = form
    if (kind, bits) == (_PCM, 8):
        return array("h", [byte - 128 for byte in sound]), 128.0
    if (kind, bits) == (_PCM, 24):
        sound, bits = _upper_bytes(sound), 16
    if (kind, bits) not in _CODES:
        raise BrokenMedia(f"samples of format {kind} with {bits} bits are not read")
    code, full = _CODES[kind, bits]
    samples = array(code, sound[: len(sound) // (bits // 8) * (bits // 8)])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples, full


def _upper_bytes(sound: bytes) -> bytes:
    """Samples of 24 bits as samples of 16."""
    whole = sound[: len(sound) // 3 * 3]
    upper = bytearray(len(whole) // 3 * 2)
    upper[0::2], upper[1::2] = whole[1::3], whole[2::3]
    return bytes(upper)


def _sample_format(data: Data, at: int) -> tuple[int, int]:
    """The kind of the samples, and their bits; the kind of an extensible format comes later in it."""
    kind, bits = struct.unpack_from("<H12xH", data, at)
    return (struct.unpack_from("<H", data, at + 24)[0] if kind == _EXTENSIBLE else kind), bits
