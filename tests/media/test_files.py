"""Files are described by their bytes alone: files of real encoders, and hostile ones."""

from __future__ import annotations

import hashlib
import io
import math
import struct
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from longplay.media.files import EXTENSIONS, BrokenMedia, MediaFile, describe, sniff, write_wav
from PIL import Image

RATE = 32_000

Described = Callable[[bytes], MediaFile]
Written = Callable[..., tuple[tuple[int, int, int], list[int]]]


def image_file(form: str, **options: Any) -> bytes:
    """A noisy image, as Pillow writes it with these options."""
    file = io.BytesIO()
    Image.effect_noise((48, 32), 80).convert("RGB").save(file, form, **options)
    return file.getvalue()


def sound(container: str, codec: str) -> bytes:
    """One and a half seconds of silence."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = cast(AudioStream, output.add_stream(codec, rate=48_000, layout="mono"))
        silence = np.zeros((1, 72_000), dtype=np.int16)
        frame = av.AudioFrame.from_ndarray(silence, format="s16", layout="mono")
        frame.sample_rate = 48_000
        for resampled in av.AudioResampler(format=stream.format, layout="mono", rate=48_000).resample(frame):
            output.mux(stream.encode(resampled))
        output.mux(stream.encode(None))
    return file.getvalue()


def video_file(container: str = "mp4", codec: str = "mpeg4", movflags: str = "") -> bytes:
    """One and a half seconds of a dark 64 × 48 video."""
    file = io.BytesIO()
    with av.open(file, "w", format=container, options={"movflags": movflags} if movflags else {}) as output:
        stream = cast(VideoStream, output.add_stream(codec, rate=8))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(12):
            image = np.zeros((48, 64, 3), dtype=np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        output.mux(stream.encode(None))
    return file.getvalue()


def index_first(data: bytes) -> bytes:
    """The same video with its `moov` box before its `mdat` box."""
    media, index = data.index(b"mdat") - 4, data.index(b"moov") - 4
    return data[:media] + data[index:] + data[media:index]


@pytest.fixture
def described(tmp_path: Path) -> Described:
    """Writes bytes to a file and describes the file."""

    def write(data: bytes) -> MediaFile:
        path = tmp_path / "file"
        path.write_bytes(data)
        return describe(path)

    return write


@pytest.mark.parametrize(
    ("head", "content_type"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio/wav"),
        (b"fLaC\0\0\0\x22", "audio/flac"),
        (b"OggS\0\x02", "audio/ogg"),
        (b"ID3\x04\0", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"\xff\xf3\x40\xc0", "audio/mpeg"),
        (b"\0\0\0\x20ftypisom", "video/mp4"),
        (b"\0\0\0\x20ftypM4A ", "audio/mp4"),
        (b"\0\0\0\x14ftypqt  ", "video/quicktime"),
        (b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", "video/webm"),
    ],
)
def test_a_type_is_known_by_its_first_bytes(head: bytes, content_type: str) -> None:
    """Each type that Longplay stores is recognized, and has a file extension."""
    assert sniff(head) == content_type
    assert content_type in EXTENSIONS


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"{",
        b'{"error": "x"}',
        b"<!DOCTYPE html>",
        b"RIFF\0\0\0\0AVI ",
        b"\0\0\0\x20ftypavif",
        b"\x1a\x45\xdf\xa3matroska",
        b"\xff\xff\xff\xff",
        b"\xff\xfb\xf0\x64",
        b"\xff\xfb",
        b"BM",
        b"\x89PNG",
    ],
)
def test_other_first_bytes_have_no_type(head: bytes) -> None:
    """Text, other formats and files that end too early are not recognized."""
    assert sniff(head) is None


@pytest.mark.parametrize(
    ("form", "options", "content_type"),
    [
        ("PNG", {}, "image/png"),
        ("GIF", {}, "image/gif"),
        ("JPEG", {}, "image/jpeg"),
        ("JPEG", {"progressive": True, "exif": b"Exif\0\0" + bytes(5000)}, "image/jpeg"),
        ("WEBP", {}, "image/webp"),
        ("WEBP", {"lossless": True}, "image/webp"),
        ("WEBP", {"exif": b"Exif\0\0MM\0*\0\0\0\x08"}, "image/webp"),
    ],
    ids=str,
)
def test_an_image_has_a_type_a_size_and_a_digest(
    described: Described, form: str, options: dict[str, Any], content_type: str
) -> None:
    """Also a progressive JPEG with metadata, and each kind of WebP."""
    data = image_file(form, **options)
    media = described(data)
    assert (media.content_type, media.width, media.height) == (content_type, 48, 32)
    assert (media.bytes, media.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert media.duration_seconds is None


@pytest.mark.parametrize(
    ("container", "codec", "content_type", "seconds"),
    [
        ("wav", "pcm_s16le", "audio/wav", 1.5),
        ("wav", "pcm_f32le", "audio/wav", 1.5),
        ("flac", "flac", "audio/flac", 1.5),
        ("mp3", "mp3", "audio/mpeg", None),
        ("ogg", "libopus", "audio/ogg", None),
        ("ipod", "aac", "audio/mp4", 1.5),
    ],
)
def test_a_sound_has_a_type_and_where_it_is_read_a_duration(
    described: Described, container: str, codec: str, content_type: str, seconds: float | None
) -> None:
    """No duration is read from MP3 and Ogg."""
    media = described(sound(container, codec))
    assert media.content_type == content_type
    assert media.duration_seconds == (seconds and pytest.approx(seconds, abs=0.06))
    assert (media.width, media.height) == (None, None)


def test_a_sound_that_declares_more_than_it_contains_is_as_long_as_its_content(described: Described) -> None:
    """The declared size here is the largest one possible."""
    data = bytearray(sound("wav", "pcm_s16le"))
    at = data.index(b"data")
    data[at + 4 : at + 8] = b"\xff\xff\xff\xff"
    assert described(bytes(data)).duration_seconds == pytest.approx(1.5)


@pytest.mark.parametrize("data", [video_file(), index_first(video_file())], ids=["index last", "index first"])
def test_a_video_has_a_type_a_size_and_a_duration(described: Described, data: bytes) -> None:
    """Its index may be first or last in the file."""
    media = described(data)
    assert (media.content_type, media.width, media.height) == ("video/mp4", 64, 48)
    assert media.duration_seconds == pytest.approx(1.5)


def test_a_fragmented_video_has_no_duration(described: Described) -> None:
    """Its index states the size only."""
    media = described(video_file(movflags="+frag_keyframe+empty_moov"))
    assert (media.width, media.height, media.duration_seconds) == (64, 48, None)


def test_a_webm_video_has_a_type(described: Described) -> None:
    """A WebM video is recognized by its first bytes."""
    assert described(video_file("webm", "libvpx")).content_type == "video/webm"


@pytest.mark.parametrize(
    "data", [image_file("PNG"), image_file("JPEG"), image_file("GIF"), image_file("WEBP"), video_file()]
)
def test_a_file_cut_at_any_byte_is_described(described: Described, data: bytes) -> None:
    """No length raises an error."""
    for length in range(12, min(len(data), 300)):
        described(data[:length])


def test_boxes_of_impossible_sizes_are_read_to_an_end(described: Described) -> None:
    """Neither a zero, a tiny nor a huge box size makes the reader loop."""
    ftyp = b"\0\0\0\x08ftyp" + b"isom"
    for size in (0, 1, 2, 7, 8, 0xFFFFFFFF):
        box = struct.pack(">I4s", size, b"moov")
        described(ftyp[:8] + box * 50 + struct.pack(">I4sQ", 1, b"moov", 2**63) + box * 50)


def test_a_jpeg_with_very_many_segments_has_no_size(described: Described) -> None:
    """The reader stops before the end of them."""
    assert described(b"\xff\xd8" + b"\xff\xe0\0\x02" * 100_000).width is None


def test_a_video_with_a_time_scale_of_zero_has_no_duration(described: Described) -> None:
    """The duration is not divided by zero."""
    data = video_file()
    at = data.index(b"mvhd")
    assert described(data[: at + 16] + bytes(4) + data[at + 20 :]).duration_seconds is None


def test_a_file_that_is_not_media_is_refused(described: Described) -> None:
    """An error page in HTML is one example."""
    with pytest.raises(BrokenMedia):
        described(b"<html>")


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


def test_samples_out_of_range_are_clipped(written: Written) -> None:
    """Values beyond -1 and 1 become the loudest sample."""
    assert written([1.5, -1.5, 1e300, -7, 0.25])[1] == [32767, -32767, 32767, -32767, 8192]


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
