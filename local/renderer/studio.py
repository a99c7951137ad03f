"""Renders an order at full quality or quickly, and keeps the last files."""

import hashlib
from functools import lru_cache
from io import BytesIO

import numpy as np
from PIL import Image

from local.renderer import images, music, sound, video
from local.renderer.instruments import RATE, Samples
from local.renderer.orders import ImageOrder, Order, Rendered, TrackOrder, VideoOrder


@lru_cache(maxsize=16)
def rendered(order: Order, *, quick: bool) -> Rendered:
    """The file for an order."""
    match order:
        case TrackOrder():
            return sound.encode(_blip(order) if quick else _track(order), order.format)
        case ImageOrder():
            return _encoded(_small(order) if quick and not order.black else _image(order), order)
        case VideoOrder():
            return Rendered(content_type="video/mp4", content=_short(order) if quick else _video(order))


def _track(order: TrackOrder) -> Samples:
    return music.play(order.prompt, seconds=order.seconds)


def _image(order: ImageOrder) -> Image.Image:
    if order.black:
        return Image.new("RGB", (order.width, order.height))
    return images.paint(_scene(order), width=order.width, height=order.height)


def _video(order: VideoOrder) -> bytes:
    size = order.frame
    if order.image is None:
        return video.encode(_scene(size), width=size.width, height=size.height, frames=order.frames, fps=order.fps)
    still = Image.open(BytesIO(order.image))
    return video.animate(still, width=size.width, height=size.height, frames=order.frames, fps=order.fps)


def _scene(order: ImageOrder) -> images.Scene:
    return images.compose(
        order.prompt, seed=order.seed, steps=order.steps, guidance=order.guidance, negative=order.negative
    )


def _encoded(image: Image.Image, order: ImageOrder) -> Rendered:
    file = BytesIO()
    image.save(file, format=order.format.upper())
    return Rendered(content_type=f"image/{order.format}", content=file.getvalue())


def _blip(order: TrackOrder) -> Samples:
    """A tone of 20 ms, its pitch chosen by the prompt."""
    frequency = 220 + hashlib.sha256(order.prompt.encode()).digest()[0] * 4
    time = np.arange(RATE // 50, dtype=np.float32) / RATE
    tone: Samples = np.sin(2 * np.pi * frequency * time) * np.float32(0.5)
    return tone


def _small(order: ImageOrder | VideoOrder) -> Image.Image:
    """One color on 16 × 16 pixels, chosen by the whole order."""
    red, green, blue = hashlib.sha256(f"{order}".encode()).digest()[:3]
    return Image.new("RGB", (16, 16), (red, green, blue))


def _short(order: VideoOrder) -> bytes:
    return video.animate(_small(order), width=16, height=16, frames=2, fps=order.fps)
