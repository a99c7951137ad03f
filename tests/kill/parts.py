"""The providers' parts: the stand-in that plays each, and what a caller and a deployment say to be served by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from local.fal_server import FalServer
from local.model_server import ModelServer
from local.replicate_server import ReplicateServer

PROMPT = {"prompt": "upbeat techno with heavy bass"}


@dataclass(frozen=True, kw_only=True)
class Part:
    """A stand-in that is playing. `servers` and `tokens` are for the deployment, `request` is what a caller sends.

    `generations` are the references of those made so far, `fails` is the fault that has one end in failure.
    """

    server: Any
    servers: Mapping[str, str]
    tokens: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    generations: Callable[[], list[str]] = list
    fails: str = ""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A provider that answers with a reference, by its `name` in routes and callbacks.

    `stand_in` makes its server, where a generation is done at its first poll; `server` is the name of that in the
    settings, and `model` one that it serves. `generations` are those the stand-in has made, `fails` the fault that has
    one end in failure.
    """

    name: str
    stand_in: Callable[[], Any]
    server: str
    model: str
    tokens: Mapping[str, str]
    generations: Callable[[Any], list[str]]
    fails: str
    path: str = ""
    calls_back: bool = True
    cancels: bool = True

    @contextmanager
    def playing(self) -> Iterator[Part]:
        """Its part, until it is left."""
        with self.stand_in() as server:
            yield Part(
                server=server,
                servers={self.server: server.url + self.path},
                tokens=self.tokens,
                request={**PROMPT, "model": self.model},
                generations=lambda: self.generations(server),
                fails=self.fails,
            )


def holding_the_line(server: ModelServer) -> Part:
    """A server of Hugging Face's contract, which serves every model."""
    return Part(server=server, servers={"*": f"{server.url}/hf-inference/models/{{model}}"}, request=PROMPT)


PROVIDERS = (
    Provider(
        name="replicate",
        stand_in=lambda: ReplicateServer(quick=True, polls=1),
        server="replicate",
        model="musicgen-large",
        tokens={"replicate": "r8_token"},
        generations=lambda server: [prediction.id for prediction in server.predictions],
        fails="failed",
    ),
    Provider(
        name="fal",
        stand_in=lambda: FalServer(quick=True, polls=1),
        server="fal",
        model="stable-audio",
        tokens={"fal": "fal_key"},
        generations=lambda server: [request.id for request in server.queue],
        fails="failed",
    ),
)
