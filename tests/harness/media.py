"""Whole files of every type that Longplay stores, made by Pillow and FFmpeg."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from PIL import Image

SECONDS = 1.5


def image_file(form: str = "PNG", **options: Any) -> bytes:
    """A noisy image of 48 by 32 pixels, as Pillow writes it with these options."""
    file = io.BytesIO()
    noise = Image.fromarray(np.random.default_rng(7).integers(0, 255, (32, 48, 3), dtype=np.uint8))
    noise.save(file, form, **options)
    return file.getvalue()


@cache
def sound(container: str = "wav", codec: str = "pcm_s16le") -> bytes:
    """One and a half seconds of a tone."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = cast(AudioStream, output.add_stream(codec, rate=48_000, layout="mono"))
        tone = (np.sin(np.arange(int(48_000 * SECONDS)) / 9) * 9_000).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(tone[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = 48_000
        for resampled in av.AudioResampler(format=stream.format, layout="mono", rate=48_000).resample(frame):
            output.mux(stream.encode(resampled))
        output.mux(stream.encode(None))
    return file.getvalue()


@cache
def video_file(container: str = "mp4", codec: str = "mpeg4", movflags: str = "") -> bytes:
    """One and a half seconds of a 64 × 48 video."""
    file = io.BytesIO()
    with av.open(file, "w", format=container, options={"movflags": movflags} if movflags else {}) as output:
        stream = cast(VideoStream, output.add_stream(codec, rate=8))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(12):
            image = np.full((48, 64, 3), number * 20, dtype=np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        output.mux(stream.encode(None))
    return file.getvalue()


def index_first(data: bytes) -> bytes:
    """The same video with its `moov` box before its `mdat` box."""
    media, index = data.index(b"mdat") - 4, data.index(b"moov") - 4
    return data[:media] + data[index:] + data[media:index]


@cache
def whole_files() -> Mapping[str, bytes]:
    """A file of every type and variant, by name; the kind of its content comes first."""
    return {
        "image png": image_file("PNG"),
        "image jpeg": image_file("JPEG"),
        "image progressive jpeg": image_file("JPEG", progressive=True),
        "image jpeg with a thumbnail": image_file("JPEG", exif=b"Exif\0\0" + image_file("JPEG")),
        "image gif": image_file("GIF"),
        "image webp": image_file("WEBP"),
        "image lossless webp": image_file("WEBP", lossless=True),
        "image webp with metadata": image_file("WEBP", exif=b"Exif\0\0MM\0*\0\0\0\x08"),
        "music wav": sound(),
        "music float wav": sound("wav", "pcm_f32le"),
        "music flac": sound("flac", "flac"),
        "music mp3": sound("mp3", "mp3"),
        "music opus": sound("ogg", "libopus"),
        "music m4a": sound("ipod", "aac"),
        "music mp4": sound("mp4", "aac"),
        "music webm": sound("webm", "libopus"),
        "video mp4": video_file(),
        "video mp4 with its index first": index_first(video_file()),
        "video fragmented mp4": video_file(movflags="+frag_keyframe+empty_moov"),
        "video mov": video_file("mov"),
        "video webm": video_file("webm", "libvpx"),
        "video gif": image_file("GIF"),
    }


def kind_of(name: str) -> str:
    """The kind of generation that a file of `whole_files` is the result of."""
    return name.partition(" ")[0]
