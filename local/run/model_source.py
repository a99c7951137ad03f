"""The model server of a local run: the stand-in, your own (MODEL_SERVER), or Hugging Face (HF_TOKEN)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from local.stand_ins.model import ModelServer

HUGGING_FACE = "https://router.huggingface.co"
# The name of the server for every model that has no other.
EVERY_SERVER = "*"
SECONDS_OF_COLD_START = 4.0
TRACK = {"prompt": "slow pads over distant rain", "genre": "ambient", "duration": 10}
PROMPT = "a city by the sea at night"
IMAGE = {"prompt": PROMPT, "model": "runwayml/stable-diffusion-v1-5"}


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """A model server: its URL, its name in messages, the deployment's settings for it, and requests it can serve."""

    url: str
    name: str
    context: Mapping[str, str] = field(default_factory=dict)
    requests: tuple[Mapping[str, object], ...] = (TRACK, IMAGE)


@contextmanager
def model_source(environ: Mapping[str, str]) -> Iterator[ModelSource]:
    """The source that `environ` chooses; a stand-in runs until the end of the block."""
    if server := environ.get("MODEL_SERVER"):
        yield _server(server, name=f"yours at {server}")
    elif environ.get("HF_TOKEN"):
        # no provider of Hugging Face serves music
        yield ModelSource(
            url=HUGGING_FACE, name="Hugging Face, with HF_TOKEN", requests=({"prompt": PROMPT, "kind": "image"},)
        )
    else:
        with ModelServer(cold_start=SECONDS_OF_COLD_START) as stand_in:
            yield _server(stand_in.url, name=f"the stand-in at {stand_in.url} (no model: it renders by procedure)")


def tokens(environ: Mapping[str, str]) -> dict[str, str]:
    """The provider tokens in `environ`, by the provider's name."""
    token = environ.get("HF_TOKEN")
    return {"huggingface": token} if token else {}


def _server(url: str, *, name: str) -> ModelSource:
    return ModelSource(url=url, name=name, context={"servers": json.dumps({EVERY_SERVER: url_template(url)})})


def url_template(url: str) -> str:
    """The URL with `{model}`: Hugging Face's path is added, unless the URL has a path or `{model}` already."""
    if "{model}" in url or urlsplit(url).path.strip("/"):
        return url
    return f"{url.rstrip('/')}/models/{{model}}"
