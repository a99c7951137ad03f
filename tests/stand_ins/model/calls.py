"""How tests call the stand-in model server."""

from typing import Any

import requests

from local.stand_ins.model import ModelServer

MUSIC = "/hf-inference/models/facebook/musicgen-small"
PICTURE = "/hf-inference/models/stabilityai/stable-diffusion-xl-base-1.0"
VIDEO = "/models/Wan-AI/Wan2.1-T2V-1.3B"
MOVED = "/models/stabilityai/stable-video-diffusion-img2vid"
SECONDS_PATIENCE = 20


def ask(
    server: ModelServer, path: str, inputs: Any = "a calm sea", *, accept: str = "*/*", **parameters: Any
) -> requests.Response:
    """A POST in Hugging Face's form."""
    body = {"inputs": inputs, "parameters": parameters}
    headers = {"Accept": accept, "Authorization": "Bearer hf_made_up"}
    return requests.post(server.url + path, json=body, headers=headers, timeout=SECONDS_PATIENCE, allow_redirects=False)


def until_ready(server: ModelServer) -> int:
    """Asks until the model is loaded; how often it was not."""
    refusals = 0
    while (response := ask(server, MUSIC)).status_code == 503:
        assert response.json()["error"] == "Model facebook/musicgen-small is currently loading"
        refusals += 1
    assert response.status_code == 200
    return refusals
