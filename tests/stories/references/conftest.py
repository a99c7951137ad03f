"""Fixtures that run every story once for each provider that answers with a reference."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine

from tests.harness.product import Product
from tests.harness.providers import POLLED, Provider
from tests.stories.references.story import BASE, Story


@pytest.fixture(params=POLLED, ids=lambda provider: provider.name)
def provider(request: pytest.FixtureRequest) -> Any:
    """Each of these providers in turn."""
    return request.param


@pytest.fixture
def server(provider: Provider) -> Iterator[Any]:
    """The provider's stand-in; a generation is done at its second poll."""
    with provider.running() as running:
        for partner in provider.unserved:
            del running.server.mapping[provider.hub_model][partner]
        yield running.server


@pytest.fixture
def story(
    product_with: Callable[..., Product],
    provider: Provider,
    server: Any,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> Story:
    """The product with the provider's token stored and with an address for callbacks."""
    monkeypatch.setenv("CALLBACK_BASE_URL", BASE)
    product = product_with(servers={provider.server: server.url})
    product.aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString=json.dumps(dict(provider.tokens)))
    return Story(provider=provider, server=server, product=product, clock=clock)
