"""The provider under test (`own`), its stand-in, and the calls that are made of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from longplay.providers.protocol import Accepted, Call

from tests.providers.own_apis.table import OWN_APIS, InputFor, Order, OwnApi, OwnProvider, OwnStandIn, Submit
from tests.providers.raw_server import RawServer
from tests.providers.tokens import Tokens


@pytest.fixture(params=OWN_APIS, ids=lambda own: own.name)
def own(request: pytest.FixtureRequest) -> OwnApi:
    """Each provider in turn."""
    row: OwnApi = request.param
    return row


@pytest.fixture(scope="session")
def stand_ins() -> Iterator[dict[str, OwnStandIn]]:
    """Every provider's stand-in, by the provider's name."""
    servers: dict[str, OwnStandIn] = {own.name: own.stand_in(quick=True, token=own.token) for own in OWN_APIS}
    with ExitStack() as stack:
        for server in servers.values():
            stack.callback(server.start().close)
        yield servers


@pytest.fixture
def stand_in(stand_ins: dict[str, OwnStandIn], own: OwnApi) -> OwnStandIn:
    """The provider's stand-in, with no faults set and nothing remembered; a generation ends at its second poll."""
    stand_ins[own.name].clear()
    return stand_ins[own.name]


@pytest.fixture
def tokens(own: OwnApi) -> Tokens:
    """The provider's token, and another provider's."""
    return Tokens({own.name: own.token, "huggingface": "hf_AbCdEfGh0123456789"})


@pytest.fixture
def provider(own: OwnApi, tokens: Tokens) -> OwnProvider:
    """The provider itself."""
    return own.adapter(tokens.get, forget_tokens=tokens.forget)


@pytest.fixture
def order(own: OwnApi, stand_in: OwnStandIn, tmp_path: Path) -> Order:
    """Returns a call to the stand-in, by its name."""
    return lambda name, **fields: own.call(name, stand_in.url, tmp_path, **fields)


@pytest.fixture
def asked(order: Order) -> Call:
    """A call for music."""
    return order("music")


@pytest.fixture
def submit(server: RawServer, own: OwnApi, provider: OwnProvider, tmp_path: Path) -> Submit:
    """Submits a call to the raw server."""

    def make(name: str = "music", url: str = f"http://127.0.0.1:{server.port}", **fields: Any) -> Accepted:
        return provider.submit(own.call(name, url, tmp_path, **fields))

    return make


@pytest.fixture
def input_for(own: OwnApi, tmp_path: Path) -> InputFor:
    """Returns the input that a call sends to the provider's model."""
    return lambda name, **fields: own.input_of(own.call(name, f"https://{own.host}", tmp_path, **fields))
