"""Media files: their content type from the first bytes, and the facts about one that is stored."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# not mimetypes.guess_extension: it has no audio/wav, and returns .oga for audio/ogg
EXTENSIONS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "audio/wav": ".wav",
    "audio/flac": ".flac",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/mp4": ".m4a",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
    "audio/webm": ".webm",
    "application/octet-stream": ".bin",
}
HEAD = 64  # bytes `sniff` needs
UNKNOWN = "application/octet-stream"

_TEXT_CONTROLS = frozenset(b"\t\n\f\r\x1b")
_PREFIXES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
)
_RIFF_FORMS = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_MP4_BRANDS = {b"M4A ": "audio/mp4", b"M4B ": "audio/mp4", b"qt  ": "video/quicktime"}
_STILL_IMAGE_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1")


@dataclass(frozen=True, kw_only=True)
class MediaFile:
    """A media file on disk. `sha256` is hex; width and height are in pixels. None: not read from its headers.

    `sample_rate` is in samples a second.

    `warnings` are sentences in ASCII for the caller: what was repaired, and what may be wrong with the file.
    """

    path: Path
    content_type: str
    bytes: int
    sha256: str
    duration_seconds: float | None
    width: int | None
    height: int | None
    sample_rate: int | None = None
    channels: int | None = None
    warnings: tuple[str, ...] = ()


def sniff(head: bytes) -> str | None:
    """The content type of a file that starts with these bytes, None if unknown. `HEAD` bytes are enough."""
    return next((found for detect in _DETECTORS if (found := detect(head))), None)


def is_text(head: bytes) -> bool:
    """Whether the first bytes of a file are text, which is no media: an error page, a log line, JSON."""
    try:
        getincrementaldecoder("utf-8")().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return all(byte >= 0x20 or byte in _TEXT_CONTROLS for byte in head)


def _by_prefix(head: bytes) -> str | None:
    return next((kind for magic, kind in _PREFIXES if head.startswith(magic)), None)


def _riff(head: bytes) -> str | None:
    return _RIFF_FORMS.get(head[8:12]) if head.startswith(b"RIFF") else None


def _mp4(head: bytes) -> str | None:
    if head[4:8] != b"ftyp" or head[8:12] in _STILL_IMAGE_BRANDS:
        return None
    return _MP4_BRANDS.get(head[8:12], "video/mp4")


def _webm(head: bytes) -> str | None:
    return "video/webm" if head.startswith(b"\x1a\x45\xdf\xa3") and b"webm" in head else None


def _mp3_frame(head: bytes) -> str | None:
    """An MP3 frame without an ID3 tag: eleven set bits, then version, layer III, bit rate and sampling rate."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version, bit_rate, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    return "audio/mpeg" if version != 1 and bit_rate not in (0, 15) and rate != 3 else None


_DETECTORS: tuple[Callable[[bytes], str | None], ...] = (_by_prefix, _riff, _mp4, _webm, _mp3_frame)
