"""Looks through a media file: its measures, and whether it is whole."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import replace
from mmap import ACCESS_READ, mmap
from pathlib import Path

from longplay.media import headers
from longplay.media.broken import BrokenMedia, Data, cut
from longplay.media.flac import check_flac
from longplay.media.headers import Measures
from longplay.media.images import check_gif, check_jpeg, check_png, check_webp
from longplay.media.mp3 import measure_mp3
from longplay.media.mp4 import check_mp4
from longplay.media.ogg import measure_ogg
from longplay.media.wav import measure_wav
from longplay.media.webm import measure_webm

LONGEST = 86_400.0  # seconds; a header that says more is not believed
LARGEST_SIDE = 100_000  # pixels, likewise
HIGHEST_RATE, MOST_CHANNELS = 768_000, 64  # likewise

_CHECKS: Mapping[str, Callable[[Data], None]] = {
    "image/png": check_png,
    "image/jpeg": check_jpeg,
    "image/gif": check_gif,
    "image/webp": check_webp,
    "audio/flac": check_flac,
    "audio/mp4": check_mp4,
    "video/mp4": check_mp4,
    "video/quicktime": check_mp4,
}
_MEASURES: Mapping[str, Callable[[Data], Measures]] = {
    "audio/wav": measure_wav,
    "audio/mpeg": measure_mp3,
    "audio/ogg": measure_ogg,
    "video/webm": measure_webm,
}


def examine(path: Path, content_type: str) -> Measures:
    """The measures of a whole file of a known type; raises BrokenMedia for a part of one."""
    try:
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            measures = _read(data, content_type) or headers.measure(file, content_type)
    except (struct.error, IndexError) as error:  # a header, or the place it leads to, is beyond the end
        raise cut() from error
    if content_type.startswith("image/") and not measures.width:
        raise BrokenMedia("the image has no pixels")
    return _believable(measures)


def _read(data: Data, content_type: str) -> Measures | None:
    if measure := _MEASURES.get(content_type):
        return measure(data)
    _CHECKS[content_type](data)
    return None


def _believable(measures: Measures) -> Measures:
    seconds, width, height = measures.seconds, measures.width, measures.height
    if seconds is not None and not (math.isfinite(seconds) and 0 <= seconds <= LONGEST):
        measures = replace(measures, seconds=None)
    if width and height and max(width, height) > LARGEST_SIDE:
        measures = replace(measures, width=None, height=None)
    if not (0 < (measures.rate or 0) <= HIGHEST_RATE and 0 < (measures.channels or 0) <= MOST_CHANNELS):
        measures = replace(measures, rate=None, channels=None)
    return measures
