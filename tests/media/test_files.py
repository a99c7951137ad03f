"""Files are described by their bytes alone: files of real encoders, and hostile ones."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from longplay.media.broken import BrokenMedia
from longplay.media.description import describe
from longplay.media.files import EXTENSIONS, MediaFile, sniff

from tests.harness.media import image_file, index_first, sound, video_file

Described = Callable[[bytes], MediaFile]


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
        ("mp3", "mp3", "audio/mpeg", 1.5),
        ("ogg", "libopus", "audio/ogg", 1.5),
        ("ipod", "aac", "audio/mp4", 1.5),
    ],
)
def test_a_sound_has_a_type_and_a_duration(
    described: Described, container: str, codec: str, content_type: str, seconds: float
) -> None:
    """It is read from the header, or by counting frames."""
    media = described(sound(container, codec))
    assert media.content_type == content_type
    assert media.duration_seconds == pytest.approx(seconds, abs=0.06)
    assert (media.width, media.height) == (None, None)
    assert (media.sample_rate, media.channels) == ((48_000, 1) if container != "ipod" else (None, None))


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


def test_a_video_with_a_time_scale_of_zero_has_no_duration(described: Described) -> None:
    """The duration is not divided by zero."""
    data = video_file()
    at = data.index(b"mvhd")
    assert described(data[: at + 16] + bytes(4) + data[at + 20 :]).duration_seconds is None


def test_a_file_that_is_not_media_is_refused(described: Described) -> None:
    """An error page in HTML is one example."""
    with pytest.raises(BrokenMedia):
        described(b"<html>")
