"""A part of a file is never a file: every type, cut at ten places and with lies in its header."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from longplay.media.broken import BrokenMedia
from longplay.media.description import describe
from longplay.media.files import EXTENSIONS, MediaFile
from longplay.media.whole import LONGEST

from tests.harness.media import image_file, sound, video_file, whole_files

CUTS = range(1, 11)
CHANGED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

Described = Callable[[bytes], MediaFile]


@pytest.fixture
def described(tmp_path: Path) -> Described:
    """Writes bytes to a file and describes the file."""

    def write(data: bytes) -> MediaFile:
        path = tmp_path / "file"
        path.write_bytes(data)
        return describe(path)

    return write


@pytest.mark.parametrize("name", whole_files())
def test_a_whole_file_is_a_file_with_its_measures(described: Described, name: str) -> None:
    """Sounds and videos have a length, except for a fragmented video; images and videos have a size."""
    media = described(whole_files()[name])
    seconds = None if name.startswith("image") or "gif" in name or "fragmented" in name else 1.5
    assert media.duration_seconds == (seconds and pytest.approx(seconds, abs=0.06))
    assert (media.width is None) == name.startswith("music")
    assert media.content_type.startswith(("image/", "video/", "audio/"))
    assert media.warnings == ()


@pytest.mark.parametrize("place", CUTS)
@pytest.mark.parametrize("name", whole_files())
def test_a_file_cut_at_any_of_ten_places_is_broken(described: Described, name: str, place: int) -> None:
    """The places are spread over the file: after the header, in the middle, and just before the end."""
    data = whole_files()[name]
    length = len(data) - 1 if place == len(CUTS) else 12 + (len(data) - 12) * place // len(CUTS)
    with pytest.raises(BrokenMedia):
        described(data[:length])


@pytest.mark.parametrize("name", whole_files())
def test_a_file_cut_in_its_header_is_broken(described: Described, name: str) -> None:
    """No length raises another error."""
    data = whole_files()[name]
    for length in range(12, min(len(data) - 1, 300)):
        with pytest.raises(BrokenMedia):
            described(data[:length])


BOUNDARIES = {
    "image png": b"IDAT",
    "image png ": b"IEND",
    "image jpeg": b"\xff\xda",
    "music flac": b"\xff\xf8",
    "music opus": b"OggS",
    "music mp3": b"\xff\xfb",
    "video mp4": b"moov",
    "video mp4 with its index first": b"mdat",
    "video fragmented mp4": b"moof",
}


@pytest.mark.parametrize("name", BOUNDARIES)
def test_a_file_cut_between_two_of_its_parts_is_broken(described: Described, name: str) -> None:
    """Where every part is complete. Encoders differ in whether an MP3's count includes its first frame."""
    data, mark = whole_files()[name.strip()], BOUNDARIES[name]
    lead = 4 if mark.isalpha() and mark != b"OggS" else 0  # the size comes before the name
    places = [found.start() - lead for found in re.finditer(re.escape(mark), data)]
    last = {"music mp3": -1, "video fragmented mp4": 1}.get(name)
    for place in [place for place in places if place > 12][:last]:
        with pytest.raises(BrokenMedia):
            described(data[:place])


def test_an_image_with_an_end_and_no_pixels_is_broken(described: Described) -> None:
    """Its header and its end are complete."""
    png, jpeg = whole_files()["image png"], whole_files()["image jpeg"]
    for data in (png[:33] + png[-12:], jpeg[: jpeg.index(b"\xff\xda")] + b"\xff\xd9"):
        with pytest.raises(BrokenMedia):
            described(data)


@pytest.mark.parametrize("name", whole_files())
def test_a_lie_in_a_header_is_noticed_or_does_no_harm(tmp_path: Path, name: str) -> None:
    """Changed bytes make a file broken, or leave measures that can be believed."""
    data, path = whole_files()[name], tmp_path / "file"

    @CHANGED
    @given(st.lists(st.tuples(st.integers(0, min(len(data) - 1, 400)), st.binary(min_size=1, max_size=8)), max_size=4))
    def lie(changes: list[tuple[int, bytes]]) -> None:
        changed = bytearray(data)
        for at, new in changes:
            changed[at : at + len(new)] = new
        path.write_bytes(changed)
        try:
            media = describe(path)
        except BrokenMedia:
            return
        _is_believable(media)

    lie()


def _is_believable(media: MediaFile) -> None:
    seconds = media.duration_seconds
    assert seconds is None or (math.isfinite(seconds) and 0 <= seconds <= LONGEST)
    assert media.width is None or media.width > 0
    assert media.content_type in EXTENSIONS
    assert all(warning.isascii() for warning in media.warnings)


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\0IEND\xae\x42\x60\x82",
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8" + b"\xff\xe0\0\x02" * 100_000,
        b"GIF89a\1\0\1\0\0\0\0;",
        b"RIFF\x04\0\0\0WEBP",
        b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0\x80\xbb\0\0\0\x77\1\0\2\0\x10\0data\0\0\0\0",
        b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\1\0\1\0\x80\xbb\0\0\0\x77\1\0\2\0\x10\0data\xff\xff\xff\xff",
        b"fLaC\x80\0\0\x22" + bytes(34),
        b"ID3\x04\0\0\0\0\0\x0a" + bytes(10),
        b"OggS",
        b"\0\0\0\x10ftypisom\0\0\0\0",
        b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x08moov",
        b"\x1a\x45\xdf\xa3\x84webm\x18\x53\x80\x67\x80",
    ],
    ids=lambda data: repr(data[:14]),
)
def test_a_header_without_content_is_broken(described: Described, data: bytes) -> None:
    """Each of these is a valid start, and nothing more."""
    with pytest.raises(BrokenMedia):
        described(data)


def test_the_end_of_a_thumbnail_is_not_the_end_of_its_image(described: Described) -> None:
    """The thumbnail in a JPEG's metadata has an end marker too."""
    data = whole_files()["image jpeg with a thumbnail"]
    thumbnail_end = data.index(b"\xff\xd9") + 2
    assert thumbnail_end < len(data)
    with pytest.raises(BrokenMedia):
        described(data[: thumbnail_end + 30])


def test_bytes_after_the_end_do_no_harm(described: Described) -> None:
    """Tools append comments and tags."""
    for name in ("image png", "image jpeg", "image gif", "image webp", "music mp3"):
        assert described(whole_files()[name] + b"TAG" + bytes(125)).content_type


def test_a_damaged_chunk_of_an_image_is_broken(described: Described) -> None:
    """The checksum of the pixels is compared."""
    data = bytearray(image_file("PNG"))
    data[data.index(b"IDAT") + 40] ^= 1
    with pytest.raises(BrokenMedia, match="IDAT"):
        described(bytes(data))


@pytest.mark.parametrize(("riff", "size"), [(0, 0), (0xFFFFFFFF, 0xFFFFFFFF), (0, None), (0x7FFFF024, 0x7FFFF000)])
def test_a_streamed_wav_gets_its_sizes(described: Described, riff: int, size: int | None) -> None:
    """The sound stays the same, and a warning says what was done."""
    data = sound()
    at = data.index(b"data") + 4
    streamed = bytearray(data)
    streamed[4:8] = struct.pack("<I", riff)
    if size is not None:
        streamed[at : at + 4] = struct.pack("<I", size)
    media = described(bytes(streamed))
    assert media.path.read_bytes() == data
    assert (media.duration_seconds, media.bytes) == (1.5, len(data))
    assert media.warnings == (
        "The sizes in the header of this WAV file were missing. They were put in; the sound is unchanged.",
    )


def test_a_streamed_wav_ends_with_a_whole_frame(described: Described) -> None:
    """Half a sample at the end of a stream is left out."""
    data = bytearray(sound() + b"\x01")
    at = data.index(b"data") + 4
    data[at : at + 4] = bytes(4)
    assert described(bytes(data)).path.read_bytes() == sound()


def test_an_impossible_duration_is_left_out(described: Described) -> None:
    """All bits set mean that the duration is not known (ISO 14496-12, 8.2.2)."""
    data = bytearray(video_file())
    at = data.index(b"mvhd") + 20
    data[at : at + 4] = b"\xff\xff\xff\xff"
    data[at - 4 : at] = struct.pack(">I", 1)
    assert described(bytes(data)).duration_seconds is None


@pytest.mark.parametrize(("name", "content_type"), [("music mp4", "audio/mp4"), ("music webm", "audio/webm")])
def test_a_container_without_pictures_is_a_sound(described: Described, name: str, content_type: str) -> None:
    """Its first bytes are those of a video."""
    assert described(whole_files()[name]).content_type == content_type


def test_vorbis_has_its_own_clock(described: Described) -> None:
    """Its positions count samples at the rate of its header."""
    head = b"\x01vorbis" + struct.pack("<IBI", 0, 1, 44_100) + bytes(14)
    pages = _page(2, 0, head) + _page(4, 88_200, bytes(200))
    assert described(pages).duration_seconds == 2.0


def _page(flags: int, position: int, content: bytes) -> bytes:
    return b"OggS\0" + struct.pack("<BQIII", flags, position, 5, 0, 0) + bytes([1, len(content)]) + content


@pytest.mark.parametrize(
    "data",
    [
        b"FORM\0\0\1\0AIFFCOMM" + bytes(range(256)) * 4,
        b"\xff\xf1\x50\x80" + bytes(range(256)) * 4,
        b"\0\0\0\x1cftypavif" + bytes(range(256)) * 4,
        b"\x1a\x45\xdf\xa3\xa3\x42\x82\x88matroska" + bytes(range(256)) * 4,
    ],
    ids=["AIFF", "AAC", "AVIF", "Matroska"],
)
def test_a_file_of_unknown_type_is_kept(described: Described, data: bytes) -> None:
    """It is paid for, and its caller may know the type."""
    media = described(data)
    assert (media.content_type, media.bytes) == ("application/octet-stream", len(data))
    assert "does not know this type" in media.warnings[0]


@pytest.mark.parametrize("data", [b"<html>" + b"x" * 5_000, ("Fehler: größer" * 500).encode(), bytes(50), b""])
def test_text_and_a_few_bytes_are_no_file(described: Described, data: bytes) -> None:
    """An error page, a log line in any language, a handful of zeros."""
    with pytest.raises(BrokenMedia):
        described(data)
