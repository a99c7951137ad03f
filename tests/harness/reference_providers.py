"""The providers that answer with a reference, in one table: whatever holds of such a provider is told of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local.stand_ins.fal import FalServer
from local.stand_ins.hub import HubServer
from local.stand_ins.hub.served import WAN
from local.stand_ins.replicate import ReplicateServer

TRACK = {"prompt": "powerful guitar riffs with drums", "genre": "rock", "duration": 2}
VIDEO = {"prompt": "a red boat leaves the harbour", "model": "wan-2.2-5b", "duration": 2}
HUGGING_FACE = {"huggingface": "hf_AbCdEfGh0123456789"}


@dataclass(frozen=True, kw_only=True)
class ReferenceProvider:
    """A provider by its `name` in routes and callbacks, played by `stand_in`; `server` names that in the settings.

    `request` is what a caller sends to be served by it, if the Hub names none of the partners that are `unserved`.
    `expired` is what a result costs that was not fetched in time, as far as the provider tells. One that calls back is
    waited for `callback_grace` seconds where a worker died: three times as long as models.toml says the request usually
    takes. `lie` is a callback that tells a wrong story of another generation.
    """

    name: str
    stand_in: Callable[..., Any]
    server: str
    tokens: Mapping[str, str]
    request: Mapping[str, Any]
    unserved: tuple[str, ...] = ()
    expired: str
    callback_grace: int = 0
    lie: bytes = b""
    calls_back: bool = True
    cancels: bool = True

    @contextmanager
    def playing(self, **pace: Any) -> Iterator[Any]:
        """Its stand-in, which insists on the token, until it is left."""
        [token] = self.tokens.values()
        with self.stand_in(quick=True, token=token, **pace) as server:
            for partner in self.unserved:
                del server.mapping[WAN][partner]
            yield server


def _partner(name: str, *, unserved: tuple[str, ...] = ()) -> ReferenceProvider:
    """One of Hugging Face's, of whom the router lets nobody be called back or stopped."""
    return ReferenceProvider(
        name=name,
        stand_in=HubServer,
        server="inference-providers",
        tokens=HUGGING_FACE,
        request=VIDEO,
        unserved=unserved,
        expired="unknown",
        calls_back=False,
        cancels=False,
    )


REPLICATE = ReferenceProvider(
    name="replicate",
    stand_in=ReplicateServer,
    server="replicate",
    tokens={"replicate": "r8_token"},
    request={**TRACK, "model": "musicgen-large"},
    expired="yes",
    callback_grace=210,
    lie=b'{"id": "aaaaaaaaaaaaaaaaaaaaaaaaaa", "status": "failed", "error": "no"}',
)
FAL = ReferenceProvider(
    name="fal",
    stand_in=FalServer,
    server="fal",
    tokens={"fal": "key-id:key-secret"},
    request={**TRACK, "model": "stable-audio"},
    expired="yes",
    callback_grace=45,
    lie=b'{"request_id": "00000000-0000-0000-0000-000000000000", "status": "ERROR", "payload": {}}',
)
HF_FAL_AI = _partner("hf-fal-ai")

REFERENCE_PROVIDERS = (
    REPLICATE,
    FAL,
    HF_FAL_AI,
    _partner("hf-wavespeed", unserved=("fal-ai",)),
    _partner("hf-replicate", unserved=("fal-ai", "wavespeed")),
)
CALLING_BACK = tuple(provider for provider in REFERENCE_PROVIDERS if provider.calls_back)
