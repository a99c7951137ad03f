"""Short H.264 videos: a slow move over a given image, or a scene of the prompt with parallax."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from io import BytesIO

import av
import numpy as np
from PIL import Image

from local.renderer import images
from local.renderer.images import Scene


def animate(image: Image.Image, *, width: int, height: int, frames: int, fps: int) -> bytes:
    """An MP4 that drifts and zooms over the image, cropped to the frame's proportions."""
    return _encode(_drift(image.convert("RGB"), width, height, frames), width=width, height=height, fps=fps)


def encode(scene: Scene, *, width: int, height: int, frames: int, fps: int) -> bytes:
    """An MP4 of the scene: the camera slides sideways, near layers pass faster than far ones."""
    shots = (
        images.paint(scene, width=width, height=height, pan=0.2 * (place - 0.5), time=number / fps)
        for number, place in enumerate(np.linspace(0, 1, frames))
    )
    return _encode(shots, width=width, height=height, fps=fps)


def _drift(image: Image.Image, width: int, height: int, frames: int) -> Iterator[Image.Image]:
    across, down = image.size
    scale = min(across / width, down / height)
    for place in np.linspace(0, 1, frames):
        ease = place * place * (3 - 2 * place)
        zoom = scale * (0.96 - 0.12 * ease)
        left = (across - width * zoom) * (0.5 + 0.3 * (ease - 0.5))
        top = (down - height * zoom) / 2
        box = (left, top, left + width * zoom, top + height * zoom)
        shot = image.resize((width, height), Image.Resampling.BICUBIC, box=box)
        yield images.caption(shot)


def _encode(shots: Iterable[Image.Image], *, width: int, height: int, fps: int) -> bytes:
    file = BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "veryfast", "crf": "23", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, fps)
        for shot in shots:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(shot), format="rgb24")))
        container.mux(stream.encode())
    return file.getvalue()
