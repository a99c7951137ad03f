"""Hugging Face's router, its Hub and its partners, all played by one stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from longplay.providers.protocol import Call, PolledProvider, Provider

from local.stand_ins.hub import HubServer
from tests.providers.inference_providers.calls import ROUTES, Polled, Routed, call, routed_adapters
from tests.providers.payloads import TOKEN
from tests.providers.tokens import Tokens


@pytest.fixture(scope="session")
def shared_hub() -> Iterator[HubServer]:
    """One stand-in for the whole run; `hub` clears its memory between tests."""
    with HubServer(quick=True, token=TOKEN) as hub:
        yield hub


@pytest.fixture
def hub(shared_hub: HubServer) -> HubServer:
    """The stand-in, with no faults set and nothing remembered; a generation is done at its second poll."""
    shared_hub.clear()
    return shared_hub


@pytest.fixture
def routed(tokens: Tokens, hub: HubServer, tmp_path: Path) -> Routed:
    """Returns a route's provider and the call to make of it."""
    providers = routed_adapters(tokens)

    def make(name: str, **fields: Any) -> tuple[Provider, Call]:
        return providers[ROUTES[name][0]], call(name, hub.url, tmp_path, **fields)

    return make


@pytest.fixture
def polled(routed: Routed) -> Polled:
    """Returns the same, for a route whose provider is polled."""

    def make(name: str, **fields: Any) -> tuple[PolledProvider, Call]:
        provider, asked = routed(name, **fields)
        assert isinstance(provider, PolledProvider)
        return provider, asked

    return make
