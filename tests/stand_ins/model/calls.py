"""Requests that tests send to the stand-in model server."""

from __future__ import annotations

import io
from typing import Any

import requests
from PIL import Image

from local.stand_ins.model import ModelServer

MUSIC = "/hf-inference/models/facebook/musicgen-small"
IMAGE = "/hf-inference/models/stabilityai/stable-diffusion-xl-base-1.0"
VIDEO = "/models/Wan-AI/Wan2.1-T2V-1.3B"
ANIMATION = "/models/stabilityai/stable-video-diffusion-img2vid"
TIMEOUT = 20  # seconds


def ask(
    server: ModelServer, path: str, inputs: Any = "a calm sea", *, accept: str = "*/*", **parameters: Any
) -> requests.Response:
    """The answer to a POST in Hugging Face's form."""
    body = {"inputs": inputs, "parameters": parameters}
    headers = {"Accept": accept, "Authorization": "Bearer hf_made_up"}
    return requests.post(server.url + path, json=body, headers=headers, timeout=TIMEOUT, allow_redirects=False)


def ask_until_loaded(server: ModelServer) -> int:
    """The number of requests that are refused until the music model is loaded."""
    refusals = 0
    while (response := ask(server, MUSIC)).status_code == 503:
        assert response.json()["error"] == "Model facebook/musicgen-small is currently loading"
        refusals += 1
    assert response.status_code == 200
    return refusals


def png(width: int, height: int) -> bytes:
    """A PNG to animate, of this size in pixels."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(file, format="PNG")
    return file.getvalue()
