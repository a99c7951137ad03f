"""What a hosted provider's models are asked for, in the studio's words, and the files it renders for them."""

import base64
from typing import Any
from urllib.parse import urlsplit

import requests

from local.renderer.studio import Studio
from local.stand_ins.framework.answers import refuse
from local.stand_ins.framework.files import File
from local.stand_ins.model.wire import Asked, AudioShape, Task

EXTENSIONS = {"audio/wav": "wav", "image/png": "png", "video/mp4": "mp4"}
TOKENS_PER_SECOND = 50
SECONDS_PATIENCE = 5


def render(asked: Asked, *, quick: bool) -> File:
    """The file; raises Refused where the pipeline itself would fail."""
    answer = Studio(quick=quick, shape=AudioShape.WAV).generate(asked)
    content = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
    return File(f"out-0.{EXTENSIONS[answer.content_type]}", answer.content_type, content)


def track(prompt: str, *, seconds: int) -> Asked:
    return _asked(Task.TEXT_TO_AUDIO, prompt, {"max_new_tokens": seconds * TOKENS_PER_SECOND})


def image(prompt: str, parameters: dict[str, Any]) -> Asked:
    return _asked(Task.TEXT_TO_IMAGE, prompt, parameters)


def video(prompt: str, *, size: tuple[int, int], frames: int, fps: int) -> Asked:
    width, height = size
    return _asked(Task.TEXT_TO_VIDEO, prompt, {"width": width, "height": height, "num_frames": frames, "fps": fps})


def animation(image: str, *, frames: int, fps: int) -> Asked:
    """Of a data URI, or of an address on this machine; raises Refused where nothing can be fetched."""
    inline = image if image.startswith("data:") else _fetched(image)
    return _asked(Task.IMAGE_TO_VIDEO, inline, {"num_frames": frames, "fps": fps})


def _asked(task: Task, inputs: Any, parameters: dict[str, Any]) -> Asked:
    accept = "image/png" if task is Task.TEXT_TO_IMAGE else None
    return Asked(task=task, model=None, toolkit=False, accept=accept, inputs=inputs, parameters=parameters)


def _fetched(url: str) -> str:
    if urlsplit(url).hostname not in ("127.0.0.1", "localhost"):
        refuse(f"Could not download {url}")
    try:
        answer = requests.get(url, timeout=SECONDS_PATIENCE)
        answer.raise_for_status()
    except requests.RequestException as error:
        refuse(f"Could not download {url}: {error}")
    return base64.b64encode(answer.content).decode()
