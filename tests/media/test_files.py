"""What a file is, by its bytes alone, held against files that real encoders wrote and against hostile ones."""

import hashlib
import io
import math
import struct
import wave

import av
import numpy as np
import pytest
from longplay.media.files import EXTENSIONS, BrokenMedia, describe, sniff, write_wav
from PIL import Image

RATE = 32_000


def image_file(form, width=48, height=32, **options):
    file = io.BytesIO()
    Image.effect_noise((width, height), 80).convert("RGB").save(file, form, **options)
    return file.getvalue()


def sound(container, codec):
    """A second and a half of silence."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=48_000, layout="mono")
        silence = np.zeros((1, 72_000), dtype=np.int16)
        frame = av.AudioFrame.from_ndarray(silence, format="s16", layout="mono")
        frame.sample_rate = 48_000
        for resampled in av.AudioResampler(format=stream.format, layout="mono", rate=48_000).resample(frame):
            output.mux(stream.encode(resampled))
        output.mux(stream.encode(None))
    return file.getvalue()


def video_file(container="mp4", codec="mpeg4", movflags=""):
    """A second and a half of a dark 64 × 48 screen."""
    file = io.BytesIO()
    with av.open(file, "w", format=container, options={"movflags": movflags} if movflags else {}) as output:
        stream = output.add_stream(codec, rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(12):
            image = np.zeros((48, 64, 3), dtype=np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        output.mux(stream.encode(None))
    return file.getvalue()


def index_first(data):
    """The same video with its `moov` box before its `mdat` box."""
    media, index = data.index(b"mdat") - 4, data.index(b"moov") - 4
    return data[:media] + data[index:] + data[media:index]


@pytest.fixture
def described(tmp_path):
    def write(data):
        path = tmp_path / "file"
        path.write_bytes(data)
        return describe(path)

    return write


class TestSniffing:
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
    def test_knows_a_type_by_its_first_bytes(self, head, content_type):
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
    def test_knows_nothing_else(self, head):
        assert sniff(head) is None


class TestAnImage:
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
    def test_has_a_type_a_size_and_a_digest(self, described, form, options, content_type):
        data = image_file(form, **options)
        media = described(data)
        assert (media.content_type, media.width, media.height) == (content_type, 48, 32)
        assert (media.bytes, media.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert media.duration_seconds is None


class TestSound:
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
    def test_has_a_type_and_where_its_header_tells_a_duration(self, described, container, codec, content_type, seconds):
        media = described(sound(container, codec))
        assert media.content_type == content_type
        assert media.duration_seconds == (seconds and pytest.approx(seconds, abs=0.06))
        assert (media.width, media.height) == (None, None)

    def test_that_declares_more_than_it_holds_is_as_long_as_what_it_holds(self, described):
        data = bytearray(sound("wav", "pcm_s16le"))
        at = data.index(b"data")
        data[at + 4 : at + 8] = b"\xff\xff\xff\xff"
        assert described(data).duration_seconds == pytest.approx(1.5)


class TestAVideo:
    @pytest.mark.parametrize("data", [video_file(), index_first(video_file())], ids=["index last", "index first"])
    def test_has_a_type_a_size_and_a_duration(self, described, data):
        media = described(data)
        assert (media.content_type, media.width, media.height) == ("video/mp4", 64, 48)
        assert media.duration_seconds == pytest.approx(1.5)

    def test_in_fragments_has_no_duration(self, described):
        media = described(video_file(movflags="+frag_keyframe+empty_moov"))
        assert (media.width, media.height, media.duration_seconds) == (64, 48, None)

    def test_of_webm_has_a_type(self, described):
        assert described(video_file("webm", "libvpx")).content_type == "video/webm"


class TestAHostileFile:
    @pytest.mark.parametrize(
        "data", [image_file("PNG"), image_file("JPEG"), image_file("GIF"), image_file("WEBP"), video_file()]
    )
    def test_cut_anywhere_is_described_as_far_as_it_goes(self, described, data):
        for length in range(12, min(len(data), 300)):
            described(data[:length])

    def test_with_boxes_of_impossible_sizes_ends(self, described):
        ftyp = b"\0\0\0\x08ftyp" + b"isom"
        for size in (0, 1, 2, 7, 8, 0xFFFFFFFF):
            box = struct.pack(">I4s", size, b"moov")
            described(ftyp[:8] + box * 50 + struct.pack(">I4sQ", 1, b"moov", 2**63) + box * 50)

    def test_with_segments_without_end_ends(self, described):
        assert described(b"\xff\xd8" + b"\xff\xe0\0\x02" * 100_000).width is None

    def test_with_no_time_scale_has_no_duration(self, described):
        data = video_file()
        at = data.index(b"mvhd")
        assert described(data[: at + 16] + bytes(4) + data[at + 20 :]).duration_seconds is None

    def test_that_is_no_media_is_refused(self, described):
        with pytest.raises(BrokenMedia):
            described(b"<html>")


class TestWritingSound:
    @pytest.fixture
    def written(self, tmp_path):
        def write(samples, rate=RATE):
            path = tmp_path / "sound.wav"
            write_wav(samples, rate, path)
            with wave.open(str(path), "rb") as file:
                shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
                return shape, np.frombuffer(file.readframes(-1), dtype="<i2").tolist()

        return write

    @pytest.mark.parametrize("samples", [[0.0, 0.5, -0.5], [[0.0, 0.5, -0.5]], [[[0.0, 0.5, -0.5]]]])
    def test_takes_mono_one_to_three_deep(self, written, samples):
        assert written(samples) == ((1, 2, RATE), [0, 16384, -16384])

    @pytest.mark.parametrize("samples", [[[0.0, 0.5], [1, -1]], [[[0.0, 0.5], [1, -1]], [[9.0], [9.0]]]])
    def test_interleaves_stereo_of_the_first_in_a_batch(self, written, samples):
        assert written(samples) == ((2, 2, RATE), [0, 32767, 16384, -32767])

    def test_clips(self, written):
        assert written([1.5, -1.5, 1e300, -7, 0.25])[1] == [32767, -32767, 32767, -32767, 8192]

    def test_lasts_as_long_as_its_samples(self, tmp_path):
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
    def test_refuses_what_is_no_sound(self, written, samples):
        with pytest.raises(BrokenMedia):
            written(samples)

    @pytest.mark.parametrize("rate", [0, -1, 999, 10**9, math.nan, math.inf, "32000", None, 32000.5, [1]])
    def test_refuses_an_impossible_sampling_rate(self, written, rate):
        with pytest.raises(BrokenMedia):
            written([0.0], rate)
