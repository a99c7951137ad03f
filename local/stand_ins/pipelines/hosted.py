"""Requests to the models of a hosted provider, and the files rendered for them."""

import base64
from typing import Any
from urllib.parse import urlsplit

import requests

from local.renderer import render
from local.stand_ins.framework.answers import refuse
from local.stand_ins.framework.files import File
from local.stand_ins.pipelines.asked import Asked, AudioShape, Task
from local.stand_ins.pipelines.orders import order_of

EXTENSIONS = {"audio/wav": "wav", "image/png": "png", "video/mp4": "mp4"}
TOKENS_PER_SECOND = 50
FETCH_TIMEOUT = 5  # seconds


def render_file(asked: Asked, *, quick: bool) -> File:
    """The rendered file; raises Refused where the pipeline itself would fail."""
    rendered = render(order_of(asked, AudioShape.WAV), quick=quick)
    return File(f"out-0.{EXTENSIONS[rendered.content_type]}", rendered.content_type, rendered.content)


def track(prompt: str, *, seconds: int) -> Asked:
    """A request for music."""
    return _asked(Task.TEXT_TO_AUDIO, prompt, {"max_new_tokens": seconds * TOKENS_PER_SECOND})


def image(prompt: str, parameters: dict[str, Any]) -> Asked:
    """A request for an image."""
    return _asked(Task.TEXT_TO_IMAGE, prompt, parameters)


def video(prompt: str, *, size: tuple[int, int], frames: int, fps: int) -> Asked:
    """A request for a video of a text; `size` is width and height in pixels."""
    width, height = size
    return _asked(Task.TEXT_TO_VIDEO, prompt, {"width": width, "height": height, "num_frames": frames, "fps": fps})


def animation(image: str, *, frames: int, fps: int) -> Asked:
    """A request for a video of an image, given as a data URI or a URL on this machine.

    Raises Refused if it cannot be fetched.
    """
    inline = image if image.startswith("data:") else _fetched(image)
    return _asked(Task.IMAGE_TO_VIDEO, inline, {"num_frames": frames, "fps": fps})


def _asked(task: Task, inputs: Any, parameters: dict[str, Any]) -> Asked:
    accept = "image/png" if task is Task.TEXT_TO_IMAGE else None
    return Asked(task=task, model=None, toolkit=False, accept=accept, inputs=inputs, parameters=parameters)


def _fetched(url: str) -> str:
    if urlsplit(url).hostname not in ("127.0.0.1", "localhost"):
        refuse(f"Could not download {url}")
    try:
        answer = requests.get(url, timeout=FETCH_TIMEOUT)
        answer.raise_for_status()
    except requests.RequestException as error:
        refuse(f"Could not download {url}: {error}")
    return base64.b64encode(answer.content).decode()
