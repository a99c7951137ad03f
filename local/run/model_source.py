"""The model server of a local run: a stand-in, or what SPACE, MODEL_SERVER or HF_TOKEN choose.

SPACE=1 is your own Space's app, HF_TOKEN is for Hugging Face itself. MODEL_SERVER is
the address of one server for all models, or the JSON of the setting `servers`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from local.space.app import space_app
from local.stand_ins.model import ModelServer
from local.stand_ins.space.front_door import FrontDoor
from local.tools import LocalRunError

HUGGING_FACE = "https://router.huggingface.co"
# The name of the server for every model that has no other.
EVERY_SERVER = "*"
SECONDS_OF_COLD_START = 4.0
TRACK = {"prompt": "slow pads over distant rain", "genre": "ambient", "duration": 10}
PROMPT = "a city by the sea at night"
IMAGE = {"prompt": PROMPT, "model": "runwayml/stable-diffusion-v1-5"}

_LIKE_THIS = 'for example {"*": "http://127.0.0.1:8080/"}, as in the setting `servers`'


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """A model server: its URL, its name in messages, the deployment's settings for it, and requests it can serve.

    `tokens` are those that it needs, by the provider's name.
    """

    url: str
    name: str
    context: Mapping[str, str] = field(default_factory=dict)
    tokens: Mapping[str, str] = field(default_factory=dict)
    requests: tuple[Mapping[str, object], ...] = (TRACK, IMAGE)


@contextmanager
def model_source(environ: Mapping[str, str], home: Path) -> Iterator[ModelSource]:
    """The source that `environ` chooses; what runs here for it ends with the block, and has its files in `home`."""
    if environ.get("SPACE", "0") not in ("", "0"):
        with _space(home) as space:
            yield space
    elif server := environ.get("MODEL_SERVER", "").strip():
        yield _servers(server) if server.startswith("{") else _server(server, name=f"yours at {url_template(server)}")
    elif environ.get("HF_TOKEN"):
        # no model is named: the defaults are what Hugging Face's partners serve
        image = {"prompt": PROMPT, "kind": "image"}
        yield ModelSource(url=HUGGING_FACE, name="Hugging Face, with HF_TOKEN", requests=(TRACK, image))
    else:
        with ModelServer(cold_start=SECONDS_OF_COLD_START) as stand_in:
            yield _server(stand_in.url, name=f"the stand-in at {stand_in.url} (no model: it renders by procedure)")


def tokens(environ: Mapping[str, str]) -> dict[str, str]:
    """The provider tokens in `environ`, by the provider's name."""
    token = environ.get("HF_TOKEN")
    return {"huggingface": token} if token else {}


@contextmanager
def _space(home: Path) -> Iterator[ModelSource]:
    """The app of a private Space, for which the deployment has the token."""
    token = f"hf_{secrets.token_hex(17)}"
    with space_app(home) as app, FrontDoor(app.url, token=token) as space:
        yield ModelSource(
            url=space.url,
            name=f"the Space's app at {space.url}, on Gradio's own server (no model: it renders by procedure)",
            context={"servers": json.dumps({"space": space.url})},
            tokens={"space": token},
        )


def _server(url: str, *, name: str) -> ModelSource:
    return ModelSource(url=url, name=name, context={"servers": json.dumps({EVERY_SERVER: url_template(url)})})


def _servers(text: str) -> ModelSource:
    """The servers of a JSON object; raises LocalRunError for anything else."""
    try:
        servers = json.loads(text)
    except ValueError as error:
        raise LocalRunError(f"MODEL_SERVER is not JSON ({error}): {_LIKE_THIS}") from error
    if not servers or not all(isinstance(url, str) for url in servers.values()):
        raise LocalRunError(f"MODEL_SERVER must be a JSON object of URLs: {_LIKE_THIS}")
    return ModelSource(url=next(iter(servers.values())), name=f"yours: {', '.join(servers)}", context={"servers": text})


def url_template(url: str) -> str:
    """The URL as it is if it has a path, which may be a slash, or `{model}`; else with Hugging Face's path."""
    return url if "{model}" in url or urlsplit(url).path else f"{url}/models/{{model}}"
