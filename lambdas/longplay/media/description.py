"""Describes a file: content type, digest and measures, if it is whole.

It is not in files.py because functions that only need a type would then load the reader of every format.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from longplay.media.broken import BrokenMedia
from longplay.media.files import HEAD, UNKNOWN, MediaFile, is_text, sniff
from longplay.media.wav import REPAIRED, repair_wav
from longplay.media.whole import examine

LEAST_UNKNOWN = 256  # bytes; a smaller file of unknown type is no image, sound or video

_NOT_KNOWN = "Longplay does not know this type of file. It is kept as it came."
_SOUND_ONLY = {"video/mp4": "audio/mp4", "video/webm": "audio/webm"}


def describe(path: Path) -> MediaFile:
    """The type, digest and measures of a whole file; raises BrokenMedia for any other.

    A WAV file that was written as a stream gets its sizes. A file of unknown type is `application/octet-stream`.
    """
    found = sniff(_head(path))
    if found is None:
        return _unknown(path)
    warnings = (REPAIRED,) if found == "audio/wav" and repair_wav(path) else ()
    measures = examine(path, found)
    return MediaFile(
        path=path,
        content_type=found if measures.width else _SOUND_ONLY.get(found, found),
        bytes=path.stat().st_size,
        sha256=_sha256(path),
        duration_seconds=measures.seconds,
        width=measures.width,
        height=measures.height,
        sample_rate=measures.rate,
        channels=measures.channels,
        warnings=warnings,
    )


def _unknown(path: Path) -> MediaFile:
    size = path.stat().st_size
    with path.open("rb") as file:
        if size < LEAST_UNKNOWN or is_text(file.read(LEAST_UNKNOWN)):
            raise BrokenMedia("the file is not an image, audio or video")
    return MediaFile(
        path=path,
        content_type=UNKNOWN,
        bytes=size,
        sha256=_sha256(path),
        duration_seconds=None,
        width=None,
        height=None,
        warnings=(_NOT_KNOWN,),
    )


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
