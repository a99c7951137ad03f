"""A Space with Longplay's own app, played by its stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from longplay.providers.protocol import Call, PolledProvider

from local.stand_ins.space import SpaceServer
from tests.providers.payloads import TOKEN
from tests.providers.space.calls import app_call, space_adapter
from tests.providers.tokens import Tokens


@pytest.fixture(scope="module")
def shared_app() -> Iterator[SpaceServer]:
    """One stand-in for the module; it shows nothing without the token."""
    with SpaceServer(quick=True, token=TOKEN) as server:
        yield server


@pytest.fixture
def app(shared_app: SpaceServer) -> SpaceServer:
    """The stand-in of a running Space, with nothing remembered."""
    shared_app.clear()
    shared_app.stage = "RUNNING"
    return shared_app


@pytest.fixture
def tokens() -> Tokens:
    """The token for Spaces, and one that no Space may get."""
    return Tokens(space=TOKEN, huggingface="hf_ThatSpendsCredits0123456789")


@pytest.fixture
def space(tokens: Tokens) -> PolledProvider:
    """The adapter."""
    return space_adapter(tokens)


@pytest.fixture
def call(app: SpaceServer, tmp_path: Path) -> Call:
    """A call for two seconds of music."""
    return app_call(app.url, tmp_path)
