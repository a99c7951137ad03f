"""An order for a track, an image or a video, and the file that it gives."""

from dataclasses import dataclass
from typing import Literal

AudioFormat = Literal["wav", "flac", "float32"]
ImageFormat = Literal["png", "jpeg", "webp"]


@dataclass(frozen=True, kw_only=True)
class TrackOrder:
    """Mono sound of `seconds` length at SAMPLE_RATE; `float32` is raw little-endian samples within ±1."""

    prompt: str
    seconds: float
    format: AudioFormat = "wav"


@dataclass(frozen=True, kw_only=True)
class ImageOrder:
    """`width` and `height` are in pixels; `black` is the image that a safety checker puts in place of a result."""

    prompt: str
    width: int
    height: int
    steps: int
    guidance: float
    seed: int
    negative: str
    format: ImageFormat = "png"
    black: bool = False


@dataclass(frozen=True, kw_only=True)
class VideoOrder:
    """An MP4 of `frames` frames at `fps` frames a second: `image` animated if given, otherwise the scene of `frame`."""

    frame: ImageOrder
    image: bytes | None
    frames: int
    fps: int


Order = TrackOrder | ImageOrder | VideoOrder


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A file."""

    content_type: str
    content: bytes
