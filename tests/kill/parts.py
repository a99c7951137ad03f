"""The providers' parts: the stand-in that plays each, and what a caller and a deployment say to be served by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import boto3

from local.stand_ins.fal import FalServer
from local.stand_ins.hub import HubServer
from local.stand_ins.model import ModelServer
from local.stand_ins.replicate import ReplicateServer
from local.stand_ins.sagemaker import SageMakerServer
from tests.harness.aws import BUCKET

PROMPT = {"prompt": "upbeat techno with heavy bass"}
HUGGING_FACE = {"huggingface": "hf_token"}
ENDPOINT, ENDPOINTS_MODEL = "longplay-musicgen-small", "facebook/musicgen-small"


class Telling(StrEnum):
    """How a provider says of itself that a generation has ended."""

    CALLBACK = "callback"
    NOTICE = "notice"


@dataclass(frozen=True, kw_only=True)
class Part:
    """A stand-in that is playing. `servers` and `tokens` are for the deployment, `request` is what a caller sends.

    `closed` are ways that are known beforehand to lead nowhere, as models and routes. `generations` are the references
    of those made so far, `fails` is the fault that has one end in failure, and after `dawdle` they take too long.
    """

    server: Any
    servers: Mapping[str, str]
    tokens: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    closed: tuple[str, ...] = ()
    generations: Callable[[], list[str]] = list
    fails: str = ""
    dawdle: Callable[[], None] = lambda: None
    tells: Telling | None = None


def _never_end(server: Any) -> None:
    server.polls = 10_000


def _end_late(server: Any) -> None:
    server.seconds = 260


def _are_never_taken(server: SageMakerServer) -> None:
    server.at_once = False


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A provider by its `name` in routes and callbacks.

    `stand_in` makes its server, where a generation is done at its first poll, and `url` is that server's in the
    settings, by the name `server`. `generations` are the references of those the stand-in has made, `fails` is the
    fault that has one end in failure (`free` if that costs nothing), and `dawdle` has them take too long. `wishes` come
    with every request: a `model` that it serves, and a deadline that suits it.
    """

    name: str
    stand_in: Callable[[], Any]
    server: str
    url: Callable[[Any], str] = lambda server: str(server.url)
    tokens: Mapping[str, str]
    wishes: Mapping[str, Any]
    closed: tuple[str, ...] = ()
    generations: Callable[[Any], list[str]]
    fails: str = "failed"
    free: bool = False
    dawdle: Callable[[Any], None] = _never_end
    tells: Telling | None = Telling.CALLBACK
    cancels: bool = True

    @contextmanager
    def playing(self) -> Iterator[Part]:
        """Its part, until it is left."""
        with self.stand_in() as server:
            yield Part(
                server=server,
                servers={self.server: self.url(server)},
                tokens=self.tokens,
                request={**PROMPT, **self.wishes},
                closed=self.closed,
                generations=lambda: self.generations(server),
                fails=self.fails,
                dawdle=lambda: self.dawdle(server),
                tells=self.tells,
            )


def holding_the_line(server: ModelServer) -> Part:
    """A server of Hugging Face's contract, which serves every model."""
    return Part(server=server, servers={"*": f"{server.url}/hf-inference/models/{{model}}"}, request=PROMPT)


def _partner(name: str, **particular: Any) -> Provider:
    """One that is reached through Hugging Face's router: it neither calls back nor is told to stop."""
    usual = {
        "stand_in": lambda: HubServer(quick=True),
        "server": "inference-providers",
        "tokens": HUGGING_FACE,
        "wishes": {"model": "flux-dev"},
        "generations": lambda server: [generation.id for generation in server.made],
        "dawdle": _end_late,
        "tells": None,
        "cancels": False,
    }
    return Provider(name=name, **{**usual, **particular})


REPLICATE = Provider(
    name="replicate",
    stand_in=lambda: ReplicateServer(quick=True, polls=1),
    server="replicate",
    tokens={"replicate": "r8_token"},
    wishes={"model": "musicgen-large"},
    generations=lambda server: [prediction.id for prediction in server.predictions],
)
FAL = Provider(
    name="fal",
    stand_in=lambda: FalServer(quick=True, polls=1),
    server="fal",
    tokens={"fal": "fal_key"},
    wishes={"model": "stable-audio"},
    free=True,
    generations=lambda server: [request.id for request in server.queue],
)
ROUTED_FAL = _partner("hf-fal-ai", free=True)
WAVESPEED = _partner("hf-wavespeed", closed=("flux-dev#hf-fal-ai",))
ROUTED_REPLICATE = _partner(
    "hf-replicate", closed=("flux-dev#hf-fal-ai", "flux-dev#hf-wavespeed", "flux-dev#hf-together")
)
TOGETHER = _partner("hf-together", closed=("flux-dev#hf-fal-ai", "flux-dev#hf-wavespeed"), fails="server_error")
NSCALE = _partner("hf-nscale", wishes={"model": "stable-diffusion-xl"}, fails="server_error")
SAGEMAKER = Provider(
    name="sagemaker",
    stand_in=lambda: SageMakerServer(
        boto3.client("s3"), bucket=BUCKET, endpoints={ENDPOINT: ENDPOINTS_MODEL}, quick=True, at_once=True
    ),
    server="sagemaker-musicgen-small",
    url=lambda server: str(server.url_of(ENDPOINT)),
    tokens={},
    wishes={"model": "musicgen-small", "deadline_seconds": 4_000},  # a lost reply alone is waited for 1,260 s
    generations=lambda server: [invocation.inference_id for invocation in server.invocations],
    fails="model_error",
    dawdle=_are_never_taken,
    tells=Telling.NOTICE,
    cancels=False,
)
