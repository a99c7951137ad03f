"""Writes the samples of a model as a WAV file: floats of any size, or 16-bit numbers."""

from __future__ import annotations

import math
import wave
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from longplay.media.broken import BrokenMedia

LOWEST_RATE, HIGHEST_RATE = 1_000, 192_000  # samples a second
IS_NAN = "the model produced NaN (not a number) instead of sound"

_FULL_SCALE = 32_767
_LARGEST_16_BIT = 32_768
_LEAST_16_BIT = 256  # whole floats that are no louder than this as 16-bit numbers may be floats beyond full scale

_SCALED = "The model's samples reached {peak:.3g} times full scale. The sound was made quieter by this factor."
_WAS_16_BIT = "The model sent its samples as 16-bit numbers."

Samples: TypeAlias = Sequence[Any]


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """The number that becomes full scale, and what is said about it."""

    full: float = 1.0
    warnings: tuple[str, ...] = ()


def write_wav(samples: Samples, sampling_rate: int, path: Path) -> tuple[str, ...]:
    """Write samples as 16-bit PCM, and return the warnings about them; raises BrokenMedia.

    `samples` is a list of n, channel × n, or batch × channel × n numbers. Of a batch, only the first item is written.
    Samples beyond -1…1 are 16-bit numbers if they are whole and fit; any others are scaled by their peak.
    """
    if sampling_rate not in range(LOWEST_RATE, HIGHEST_RATE + 1):
        raise BrokenMedia(f"{str(sampling_rate)[:20]} is not a valid sampling rate")
    lists = _channels(samples)
    channels = [_numbers(channel) for channel in lists]
    scale = _scale(channels, all_integers=all(type(value) is int for channel in lists for value in channel))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(int(sampling_rate))
        file.writeframes(_interleaved([_pcm(channel, scale.full) for channel in channels]))
    return scale.warnings


def is_sound(value: object) -> bool:
    """Whether a value of JSON is a list of numbers, nested one to three deep."""
    return depth(value) in (1, 2, 3)


def depth(samples: object) -> int:
    """How deep the lists are nested; 0 if the innermost value is not a number. A missing number was NaN."""
    found = 0
    while isinstance(samples, list) and samples:
        found, samples = found + 1, samples[0]
    return found if samples is None or (isinstance(samples, int | float) and not isinstance(samples, bool)) else 0


def _scale(channels: Sequence[array[float]], *, all_integers: bool) -> _Scale:
    peak = max(max(max(channel), -min(channel)) for channel in channels)
    if peak <= 1:
        return _Scale()
    whole = all_integers or (peak >= _LEAST_16_BIT and all(value.is_integer() for c in channels for value in c))
    if whole and peak <= _LARGEST_16_BIT:
        return _Scale(full=_LARGEST_16_BIT, warnings=(_WAS_16_BIT,))
    return _Scale(full=peak, warnings=(_SCALED.format(peak=peak),))


def _channels(samples: Samples) -> Samples:
    channels = _first_of_batch(samples)
    if len(channels) not in (1, 2) or not all(isinstance(channel, list) for channel in channels):
        raise BrokenMedia(f"the audio has {len(channels)} channels; only mono and stereo are supported")
    if not channels[0] or len(channels[0]) != len(channels[-1]):
        raise BrokenMedia("the audio is empty, or its channels differ in length")
    return channels


def _first_of_batch(samples: Samples) -> Samples:
    match depth(samples):
        case 1:
            return [samples]
        case 2:
            return samples
        case 3:
            return list(samples[0])
    raise BrokenMedia("the audio is not a list of numbers, nested one to three deep")


def _numbers(channel: list[float]) -> array[float]:
    try:
        values = array("d", channel)
    except (TypeError, OverflowError) as error:
        raise BrokenMedia(IS_NAN if None in channel else "the audio contains a value that is not a number") from error
    if not all(map(math.isfinite, values)):
        raise BrokenMedia(IS_NAN)
    return values


def _pcm(values: array[float], full: float) -> array[int]:
    return array("h", (round(value / full * _FULL_SCALE) for value in values))


def _interleaved(channels: list[array[int]]) -> array[int]:
    if len(channels) == 1:
        return channels[0]
    frames = array("h", bytes(4 * len(channels[0])))
    frames[0::2], frames[1::2] = channels
    return frames
