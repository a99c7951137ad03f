"""Describes media files: content type from the first bytes, digest, duration and pixel size."""

from __future__ import annotations

import hashlib
import math
import wave
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from longplay.media import headers as media_headers
from longplay.media.headers import Measures

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
}
HEAD = 64  # bytes `sniff` needs
LOWEST_RATE, HIGHEST_RATE = 1_000, 192_000  # samples a second

_FULL_SCALE = 32_767
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

Samples: TypeAlias = Sequence[Any]


class BrokenMedia(Exception):
    """The file or the samples cannot be played or shown; the message says why."""


@dataclass(frozen=True, kw_only=True)
class MediaFile:
    """A media file on disk. `sha256` is hex; width and height are in pixels. None: not read from its headers."""

    path: Path
    content_type: str
    bytes: int
    sha256: str
    duration_seconds: float | None
    width: int | None
    height: int | None


def sniff(head: bytes) -> str | None:
    """The content type of a file that starts with these bytes, None if unknown. `HEAD` bytes are enough."""
    return next((found for detect in _DETECTORS if (found := detect(head))), None)


def describe(path: Path) -> MediaFile:
    """The type, digest, duration and pixel size of a file, read in chunks; raises BrokenMedia if it is not media."""
    content_type = sniff(_head(path))
    if content_type is None:
        raise BrokenMedia("the file is not an image, audio or video")
    measures = _measures(path, content_type)
    return MediaFile(
        path=path,
        content_type=content_type,
        bytes=path.stat().st_size,
        sha256=_sha256(path),
        duration_seconds=measures.seconds,
        width=measures.width,
        height=measures.height,
    )


def write_wav(samples: Samples, sampling_rate: int, path: Path) -> None:
    """Write samples in -1…1 as 16-bit PCM, clipped; raises BrokenMedia.

    `samples` is a list of n, channel × n, or batch × channel × n numbers. Of a batch, only the first item is written.
    """
    if sampling_rate not in range(LOWEST_RATE, HIGHEST_RATE + 1):
        raise BrokenMedia(f"{str(sampling_rate)[:20]} is not a valid sampling rate")
    channels = [_pcm(channel) for channel in _channels(samples)]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(channels))
        file.setsampwidth(2)
        file.setframerate(int(sampling_rate))
        file.writeframes(_interleaved(channels))


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


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


def _measures(path: Path, content_type: str) -> Measures:
    with path.open("rb") as file:
        return media_headers.measure(file, content_type)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _channels(samples: Samples) -> Samples:
    channels = _first_of_batch(samples)
    if len(channels) not in (1, 2) or not all(isinstance(channel, list) for channel in channels):
        raise BrokenMedia(f"the audio has {len(channels)} channels; only mono and stereo are supported")
    if not channels[0] or len(channels[0]) != len(channels[-1]):
        raise BrokenMedia("the audio is empty, or its channels differ in length")
    return channels


def _first_of_batch(samples: Samples) -> Samples:
    match _depth(samples):
        case 1:
            return [samples]
        case 2:
            return samples
        case 3:
            return list(samples[0])
    raise BrokenMedia("the audio is not a list of numbers, nested one to three deep")


def _depth(samples: object) -> int:
    """How deep the lists are nested; 0 if the innermost value is not a number."""
    depth = 0
    while isinstance(samples, list) and samples:
        depth, samples = depth + 1, samples[0]
    return depth if isinstance(samples, int | float) else 0


def _pcm(channel: list[float]) -> array[int]:
    try:
        values = array("d", channel)
    except (TypeError, OverflowError) as error:
        raise BrokenMedia("the audio contains a value that is not a number") from error
    if not all(map(math.isfinite, values)):
        raise BrokenMedia("the audio contains NaN or infinite samples")
    return array("h", (round(value * _FULL_SCALE) for value in _clipped(values)))


def _clipped(values: array[float]) -> Sequence[float]:
    if max(values) <= 1 and min(values) >= -1:
        return values
    return [1.0 if value > 1 else max(value, -1.0) for value in values]


def _interleaved(channels: list[array[int]]) -> array[int]:
    if len(channels) == 1:
        return channels[0]
    frames = array("h", bytes(4 * len(channels[0])))
    frames[0::2], frames[1::2] = channels
    return frames
