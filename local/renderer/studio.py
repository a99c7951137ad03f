"""Renders what a request asks for and writes it in the form its caller can read."""

import base64
import hashlib
import json
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

import av
import numpy as np
from PIL import Image

from local.renderer import images, music, video
from local.renderer.instruments import RATE, Samples
from local.stand_ins.framework.answers import Answer, refuse, says
from local.stand_ins.model import orders
from local.stand_ins.model.orders import ImageOrder, TrackOrder, VideoOrder
from local.stand_ins.model.wire import Asked, AudioShape, Task

IMAGE_FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WEBP"}
JSON_ACCEPTS = (None, "application/json", "application/json; charset=UTF-8")


@dataclass(frozen=True, kw_only=True)
class Studio:
    """`quick` renders the least that is still valid (a blip, 16 × 16 pixels), whatever length or size was asked."""

    quick: bool = False
    shape: AudioShape = AudioShape.TOOLKIT

    def generate(self, asked: Asked, *, shape: AudioShape | None = None) -> Answer:
        """The true answer, audio optionally in another `shape`; raises Refused where the real server says 400."""
        match asked.task:
            case Task.TEXT_TO_AUDIO:
                return audio_answer(self.track(asked), shape or self.shape, asked.accept)
            case Task.TEXT_TO_IMAGE:
                return image_answer(self._image(asked), asked)
            case Task.TEXT_TO_VIDEO | Task.IMAGE_TO_VIDEO:
                return Answer(content_type="video/mp4", body=self._video(asked))

    def track(self, asked: Asked) -> Samples:
        order = orders.track(asked, self.shape)
        return _blip(order.prompt) if self.quick else render_track(order)

    def _image(self, asked: Asked) -> Image.Image:
        order = orders.image(asked)
        return _patch(f"{order}") if self.quick else render_image(order)

    def _video(self, asked: Asked) -> bytes:
        order = orders.video(asked)
        if self.quick:
            return video.animate(_patch(f"{order}"), width=16, height=16, frames=2, fps=order.fps)
        return render_video(order)


@lru_cache(maxsize=8)
def render_track(order: TrackOrder) -> Samples:
    return music.play(order.prompt, seconds=order.seconds)


@lru_cache(maxsize=16)
def render_image(order: ImageOrder) -> Image.Image:
    return images.paint(_scene(order), width=order.width, height=order.height)


@lru_cache(maxsize=8)
def render_video(order: VideoOrder) -> bytes:
    size = order.frame
    if order.image is None:
        return video.encode(_scene(size), width=size.width, height=size.height, frames=order.frames, fps=order.fps)
    still = Image.open(BytesIO(order.image))
    return video.animate(still, width=size.width, height=size.height, frames=order.frames, fps=order.fps)


def audio_answer(samples: Samples, shape: AudioShape, accept: str | None) -> Answer:
    if shape in (AudioShape.TOOLKIT, AudioShape.TUTORIAL) and (accept or "").startswith("audio/"):
        refuse("Audio serialization not implemented")
    return AUDIO_ANSWERS[shape](samples)


def toolkit_audio(samples: Samples, *, depth: int = 2) -> Answer:
    """The toolkit's JSON; the floats lie 1 to 3 lists deep, by the version of transformers."""
    nested = _floats(samples)
    for _ in range(depth - 1):
        nested = f"[{nested}]"
    return Answer(body=f'{{"audio":{nested},"sampling_rate":{RATE}}}'.encode())


def image_answer(image: Image.Image, asked: Asked) -> Answer:
    """Bytes of the type `Accept` names; otherwise a JSON string of base64 PNG."""
    if asked.accept in IMAGE_FORMATS:
        return Answer(content_type=asked.accept, body=_image_bytes(image, IMAGE_FORMATS[asked.accept]))
    if asked.toolkit and asked.accept not in JSON_ACCEPTS:
        refuse(f'Accept type "{asked.accept}" not supported.')
    return says(200, base64.b64encode(_image_bytes(image, "PNG")).decode())


def _scene(order: ImageOrder) -> images.Scene:
    return images.compose(
        order.prompt, seed=order.seed, steps=order.steps, guidance=order.guidance, negative=order.negative
    )


def _tutorial_audio(samples: Samples) -> Answer:
    return Answer(body=f'[{{"generated_audio":[{_floats(samples)}]}}]'.encode())


def _wav(samples: Samples) -> Answer:
    file = BytesIO()
    with wave.open(file, "wb") as track:
        track.setnchannels(1)
        track.setsampwidth(2)
        track.setframerate(RATE)
        track.writeframes(_int16(samples).tobytes())
    return Answer(content_type="audio/wav", body=file.getvalue())


def _flac(samples: Samples) -> Answer:
    file = BytesIO()
    with av.open(file, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(_int16(samples)[None, :], format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return Answer(content_type="audio/flac", body=file.getvalue())


AUDIO_ANSWERS: Mapping[AudioShape, Callable[[Samples], Answer]] = {
    AudioShape.TOOLKIT: toolkit_audio,
    AudioShape.TUTORIAL: _tutorial_audio,
    AudioShape.WAV: _wav,
    AudioShape.FLAC: _flac,
}


def _floats(samples: Samples) -> str:
    """Seven digits, as many as the real server's float32 has."""
    return json.dumps(np.round(samples.astype(np.float64), 7).tolist(), separators=(",", ":"))


def _int16(samples: Samples) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return np.round(np.clip(samples, -1, 1) * 32767).astype("<i2")


def _image_bytes(image: Image.Image, encoding: str) -> bytes:
    file = BytesIO()
    image.save(file, format=encoding)
    return file.getvalue()


def _blip(prompt: str) -> Samples:
    frequency = 220 + hashlib.sha256(prompt.encode()).digest()[0] * 4
    time = np.arange(RATE // 50, dtype=np.float32) / RATE
    tone: Samples = np.sin(2 * np.pi * frequency * time) * np.float32(0.5)
    return tone


def _patch(key: str) -> Image.Image:
    red, green, blue = hashlib.sha256(key.encode()).digest()[:3]
    return Image.new("RGB", (16, 16), (red, green, blue))
