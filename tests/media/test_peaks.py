"""The waveform of a WAV file, for every kind of samples that encoders write, and for hostile files."""

from __future__ import annotations

import io
import math
import struct
import wave
from array import array

import pytest
from longplay.media.broken import BrokenMedia
from longplay.media.peaks import PAIRS, peaks_of

from tests.harness.media import sound


@pytest.mark.parametrize("codec", ["pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le"])
def test_every_kind_of_samples_has_the_same_peaks(codec: str) -> None:
    """A tone of 9,000 of 32,768, by FFmpeg."""
    found = peaks_of(sound("wav", codec))
    assert len(found) == 2 * PAIRS
    assert min(found) == pytest.approx(-9_000 / 32_768, abs=0.01)
    assert max(found) == pytest.approx(9_000 / 32_768, abs=0.01)
    assert all(low <= high for low, high in zip(found[::2], found[1::2], strict=True))


def test_peaks_stand_where_the_sound_is() -> None:
    """Silence, then a loud half in one channel."""
    samples = array("h", [0, 0] * 4_096 + [0, 20_000] * 4_096)
    found = peaks_of(_wav(samples, channels=2))
    assert set(found[: PAIRS - 2]) == {0.0}
    assert max(found[PAIRS:]) == pytest.approx(20_000 / 32_768, abs=0.001)


@pytest.mark.parametrize("count", [1, 3, 511, 513])
def test_a_short_sound_has_as_many_pairs_as_samples(count: int) -> None:
    """And never more than 512."""
    assert len(peaks_of(_wav(array("h", [7] * count)))) == 2 * min(count, PAIRS)


def test_no_sample_is_beyond_full_scale_or_no_number() -> None:
    """Floats can be anything."""
    header = struct.pack("<HHIIHH", 3, 1, 8_000, 32_000, 4, 32)
    samples = struct.pack("<5f", math.nan, math.inf, -math.inf, 3.5, -3.5)
    found = peaks_of(_riff(header, samples))
    assert all(-1 <= share <= 1 for share in found)


@pytest.mark.parametrize("kind", [2, 6, 7, 0x11])
def test_samples_of_another_format_are_refused(kind: int) -> None:
    """ADPCM, A-law and others have no samples that could be compared."""
    with pytest.raises(BrokenMedia, match="are not read"):
        peaks_of(_riff(struct.pack("<HHIIHH", kind, 1, 8_000, 8_000, 1, 4), b"\x01" * 64))


def _wav(samples: array[int], *, channels: int = 1) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(channels)
        written.setsampwidth(2)
        written.setframerate(32_000)
        written.writeframes(samples.tobytes())
    return file.getvalue()


def _riff(header: bytes, samples: bytes) -> bytes:
    chunks = b"".join(
        name + struct.pack("<I", len(body)) + body for name, body in ((b"fmt ", header), (b"data", samples))
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks
