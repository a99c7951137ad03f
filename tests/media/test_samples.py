"""Samples of every shape and scale become a WAV file."""

from __future__ import annotations

import math
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from longplay.media.broken import BrokenMedia
from longplay.media.description import describe
from longplay.media.samples import write_wav

RATE = 32_000

Written = Callable[..., tuple[tuple[int, int, int], list[int]]]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes samples as a WAV file and returns its (channels, bytes per sample, rate) and its samples."""

    def write(samples: Any, rate: Any = RATE) -> tuple[tuple[int, int, int], list[int]]:
        path = tmp_path / "sound.wav"
        write_wav(samples, rate, path)
        with wave.open(str(path), "rb") as file:
            shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            return shape, np.frombuffer(file.readframes(-1), dtype="<i2").tolist()

    return write


@pytest.mark.parametrize("samples", [[0.0, 0.5, -0.5], [[0.0, 0.5, -0.5]], [[[0.0, 0.5, -0.5]]]])
def test_mono_samples_may_be_one_to_three_levels_deep(written: Written, samples: Any) -> None:
    """Providers send a list of samples, of channels, or of a batch."""
    assert written(samples) == ((1, 2, RATE), [0, 16384, -16384])


@pytest.mark.parametrize("samples", [[[0.0, 0.5], [1, -1]], [[[0.0, 0.5], [1, -1]], [[9.0], [9.0]]]])
def test_stereo_samples_are_interleaved(written: Written, samples: Any) -> None:
    """Only the first sound of a batch is written."""
    assert written(samples) == ((2, 2, RATE), [0, 32767, 16384, -32767])


@pytest.mark.parametrize("peak", [1.01, 1.5, -3.7, 250.5, 1e300])
def test_samples_beyond_full_scale_are_scaled_by_their_peak(tmp_path: Path, written: Written, peak: float) -> None:
    """The loudest sample becomes full scale, and a warning says by how much the sound was made quieter."""
    loudest = 32767 if peak > 0 else -32767
    assert written([peak, peak / 2, 0.0])[1] == [loudest, round(loudest / 2), 0]
    [warning] = write_wav([peak, 0.0], RATE, tmp_path / "sound.wav")
    assert f"reached {abs(peak):.3g} times full scale" in warning


@pytest.mark.parametrize("samples", [[16384, -16384, 2], [16384.0, -16384.0, 2.0]])
def test_16_bit_numbers_are_recognized(tmp_path: Path, written: Written, samples: Any) -> None:
    """Whole numbers that fit into 16 bits keep their loudness; a warning says so."""
    assert written(samples)[1] == [16384, -16384, 2]
    assert write_wav(samples, RATE, tmp_path / "sound.wav") == ("The model sent its samples as 16-bit numbers.",)


def test_samples_within_full_scale_have_no_warning(tmp_path: Path) -> None:
    """Also whole ones."""
    assert write_wav([0, 1, -1, 0.5], RATE, tmp_path / "sound.wav") == ()


@pytest.mark.parametrize("samples", [[0.0, math.nan], [math.inf], [0.0, None], [None], [[None, 0.5]]])
def test_nan_is_named(written: Written, samples: Any) -> None:
    """JSON has no NaN, so servers send NaN, Infinity or null."""
    with pytest.raises(BrokenMedia, match="the model produced NaN"):
        written(samples)


def test_a_written_sound_is_as_long_as_its_samples(tmp_path: Path) -> None:
    """Two seconds of samples are a file of two seconds."""
    write_wav([[math.sin(n / 9) for n in range(RATE * 2)]], RATE, tmp_path / "sound")
    media = describe(tmp_path / "sound")
    assert (media.content_type, media.duration_seconds) == ("audio/wav", 2.0)


@pytest.mark.parametrize(
    "samples",
    [
        [],
        [[]],
        [[[]]],
        {},
        "loud",
        None,
        [[[[0.0]]]],
        [0.0, math.nan],
        [math.inf],
        [0.0, -math.inf],
        [0.0, None],
        [0.0, "1"],
        [0.0, [0.0]],
        [[0.0], [0.0, 0.0]],
        [[0.0], 1.0],
        [[0.0], [0.0], [0.0]],
        [10**400],
    ],
    ids=lambda samples: repr(samples)[:30],
)
def test_samples_that_are_not_a_sound_are_refused(written: Written, samples: Any) -> None:
    """Empty, ragged, not numeric or not finite samples, and more than two channels."""
    with pytest.raises(BrokenMedia):
        written(samples)


@pytest.mark.parametrize("rate", [0, -1, 999, 10**9, math.nan, math.inf, "32000", None, 32000.5, [1]])
def test_an_impossible_sampling_rate_is_refused(written: Written, rate: Any) -> None:
    """A rate is a whole number of at least 1,000."""
    with pytest.raises(BrokenMedia):
        written([0.0], rate)
