"""The providers under test, in one table: a stand-in for each, and what a deployment and a caller send to reach it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import boto3

from local.stand_ins.fal import FalServer
from local.stand_ins.hub import HubServer
from local.stand_ins.hub.served import FLUX_DEV, SDXL, STABLE_AUDIO, WAN
from local.stand_ins.model import ModelServer
from local.stand_ins.replicate import ReplicateServer
from local.stand_ins.sagemaker import SageMakerServer
from local.stand_ins.space import SpaceServer
from tests.harness.aws import BUCKET

TECHNO: Mapping[str, Any] = {"prompt": "upbeat techno with heavy bass"}
VIDEO: Mapping[str, Any] = {"prompt": "a red boat leaves the harbor", "model": "wan-2.2-5b", "duration": 2}
ENDPOINT, ENDPOINT_MODEL = "longplay-musicgen-small", "facebook/musicgen-small"


class Report(StrEnum):
    """The way in which a provider reports that a generation has ended."""

    CALLBACK = "callback"
    NOTICE = "notice"


@dataclass(frozen=True, kw_only=True)
class RunningProvider:
    """A stand-in that runs; `request` is the body that a caller sends to be served by it.

    `closed` are routes (`model#route`) that a deployment already knows to be closed.
    """

    server: Any
    servers: Mapping[str, str]
    tokens: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    closed: tuple[str, ...] = ()
    failure: str = ""
    reports: Report | None = None
    provider: Provider | None = None

    def generations(self) -> list[str]:
        """The references of the generations that the stand-in has made, in order."""
        return self.provider.generations(self.server) if self.provider else []

    def stall(self) -> None:
        """Generations take longer than any deadline from now on."""
        if self.provider:
            self.provider.stall(self.server)


def _never_end(server: Any) -> None:
    server.polls = 10_000


def _end_late(server: Any) -> None:
    server.seconds = 260


def _never_tell(server: SpaceServer) -> None:
    server.fault("drop", at="poll", times=None)


def _are_never_taken(server: SageMakerServer) -> None:
    server.at_once = False


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A provider by its `name` in routes and callbacks; `server` is the name of its URL in the settings.

    `unserved` are partners that come before it in the routes and do not serve `hub_model`. `failure` is the stand-in's
    fault that makes a generation fail, `free` says that such a generation costs nothing. `expired` is the charge of a
    result that was not fetched in time. A provider that calls back is waited for `callback_grace` seconds after a
    worker died: three times as long as models.toml says the request takes. `lie` is a callback about a generation that
    the provider has not made.
    """

    name: str
    stand_in: Callable[..., Any]
    server: str
    url: Callable[[Any], str] = lambda server: str(server.url)
    tokens: Mapping[str, str]
    request: Mapping[str, Any]
    hub_model: str = ""
    unserved: tuple[str, ...] = ()
    generations: Callable[[Any], list[str]]
    failure: str = "failed"
    free: bool = False
    expired: str = "yes"
    callback_grace: int = 0
    lie: bytes = b""
    stall: Callable[[Any], None] = _never_end
    reports: Report | None = Report.CALLBACK
    cancels: bool = True

    @contextmanager
    def running(self, **pace: Any) -> Iterator[RunningProvider]:
        """The provider with its stand-in, which refuses every other token."""
        token = next(iter(self.tokens.values()), None)
        with self.stand_in(quick=True, token=token, **pace) as server:
            yield RunningProvider(
                server=server,
                servers={self.server: self.url(server)},
                tokens=self.tokens,
                request=self.request,
                closed=tuple(f"{self.request['model']}#hf-{partner}" for partner in self.unserved),
                failure=self.failure,
                reports=self.reports,
                provider=self,
            )


def model_server_provider(server: ModelServer) -> RunningProvider:
    """A server of Hugging Face's contract that serves every model."""
    return RunningProvider(server=server, servers={"*": f"{server.url}/hf-inference/models/{{model}}"}, request=TECHNO)


def _partner(name: str, **particular: Any) -> Provider:
    """A partner behind Hugging Face's router, which sends no callbacks and cancels nothing."""
    usual = {
        "stand_in": HubServer,
        "server": "inference-providers",
        "tokens": {"huggingface": "hf_AbCdEfGh0123456789"},
        "request": VIDEO,
        "hub_model": WAN,
        "generations": lambda server: [generation.id for generation in server.made],
        "expired": "unknown",
        "stall": _end_late,
        "reports": None,
        "cancels": False,
    }
    return Provider(name=name, **{**usual, **particular})


def _sagemaker(*, quick: bool, **_pace: Any) -> SageMakerServer:
    return SageMakerServer(
        boto3.client("s3"), bucket=BUCKET, endpoints={ENDPOINT: ENDPOINT_MODEL}, quick=quick, at_once=True
    )


REPLICATE = Provider(
    name="replicate",
    stand_in=ReplicateServer,
    server="replicate",
    tokens={"replicate": "r8_token"},
    request={**TECHNO, "model": "musicgen-large", "genre": "rock", "duration": 2},
    generations=lambda server: [prediction.id for prediction in server.predictions],
    callback_grace=210,
    lie=b'{"id": "aaaaaaaaaaaaaaaaaaaaaaaaaa", "status": "failed", "error": "no"}',
)
FAL = Provider(
    name="fal",
    stand_in=FalServer,
    server="fal",
    tokens={"fal": "key-id:key-secret"},
    request={**TECHNO, "model": "stable-audio", "genre": "rock", "duration": 2},
    generations=lambda server: [request.id for request in server.queue],
    free=True,
    callback_grace=45,
    lie=b'{"request_id": "00000000-0000-0000-0000-000000000000", "status": "ERROR", "payload": {}}',
)
HF_FAL_AI = _partner("hf-fal-ai", free=True)
HF_MUSIC = _partner(
    "hf-fal-ai", request={**TECHNO, "model": "stable-audio", "duration": 2}, hub_model=STABLE_AUDIO, free=True
)
HF_WAVESPEED = _partner("hf-wavespeed", unserved=("fal-ai",))
HF_REPLICATE = _partner("hf-replicate", unserved=("fal-ai", "wavespeed"))
HF_TOGETHER = _partner(
    "hf-together",
    request={**TECHNO, "model": "flux-dev"},
    hub_model=FLUX_DEV,
    unserved=("fal-ai", "wavespeed"),
    failure="server_error",
)
HF_NSCALE = _partner(
    "hf-nscale", request={**TECHNO, "model": "stable-diffusion-xl"}, hub_model=SDXL, failure="server_error"
)
SPACE = Provider(
    name="space",
    stand_in=SpaceServer,
    server="space",
    tokens={"space": "hf_OfTheSpace0123456789"},
    request={**TECHNO, "model": "musicgen-small", "duration": 2},
    generations=lambda server: [call.id for call in server.made],
    free=True,
    expired="no",
    stall=_never_tell,
    reports=None,
)
SAGEMAKER = Provider(
    name="sagemaker",
    stand_in=_sagemaker,
    server="sagemaker-musicgen-small",
    url=lambda server: str(server.url_of(ENDPOINT)),
    tokens={},
    request={
        **TECHNO,
        "model": "musicgen-small",
        "deadline_seconds": 4_000,
    },  # a lost answer alone is waited for 1,260 s
    generations=lambda server: [invocation.inference_id for invocation in server.invocations],
    failure="model_error",
    stall=_are_never_taken,
    reports=Report.NOTICE,
    cancels=False,
)

# the providers that answer with a reference and are polled
POLLED = (REPLICATE, FAL, HF_FAL_AI, HF_WAVESPEED, HF_REPLICATE)
CALLING_BACK = tuple(provider for provider in POLLED if provider.reports)
