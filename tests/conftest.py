"""Fixtures for all tests: an account on moto, a stand-in model server, and the product between them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import wiring
from moto import mock_aws

from local.stand_ins.model import ModelServer
from tests.harness.aws import ACCOUNT, Aws, make_account
from tests.harness.fast_aws import fast_aws
from tests.harness.product import Product

pytest_plugins = ("tests.harness.distribution", "tests.harness.haste", "tests.harness.summaries")


@pytest.fixture(scope="session")
def shared_model_server() -> Iterator[ModelServer]:
    """One stand-in for the whole run; `model_server` clears its memory between tests."""
    with ModelServer(quick=True) as server:
        yield server


@pytest.fixture
def model_server(shared_model_server: ModelServer) -> ModelServer:
    """The stand-in model server, with no faults set and nothing remembered."""
    shared_model_server.clear()
    return shared_model_server


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """An empty account with the stack's resources."""
    for name, value in ACCOUNT.items():
        monkeypatch.setenv(name, value)
    with fast_aws(), mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1:.*"]}}}):
        yield make_account()


@pytest.fixture
def product(aws: Aws, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Product]:
    """The product; the stand-in serves all its models."""
    yield from _product(aws, model_server, monkeypatch)


@pytest.fixture
def rendering_product(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Product]:
    """The product with a stand-in that renders the full length and size of a request."""
    with ModelServer() as server:
        yield from _product(aws, server, monkeypatch)


@pytest.fixture
def product_with(aws: Aws, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Product]:
    """Makes the product with the settings that a test names."""

    def make(**settings: Any) -> Product:
        return next(_product(aws, model_server, monkeypatch, **settings))

    return make


def _product(aws: Aws, server: ModelServer, monkeypatch: pytest.MonkeyPatch, **chosen: Any) -> Iterator[Product]:
    settings = {"servers": {"*": f"{server.url}/hf-inference/models/{{model}}"}, **chosen}
    for name, value in {**aws.environment, "SETTINGS": json.dumps(settings)}.items():
        monkeypatch.setenv(name, value)
    wiring.dependencies.cache_clear()
    yield Product(aws)
    wiring.dependencies.cache_clear()
