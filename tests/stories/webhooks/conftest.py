"""A receiver, and the product as it runs on a developer's machine, where webhooks may go to this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.harness.product import Product
from tests.providers.raw_server import RawServer
from tests.stories.webhooks.receiver import Receiver, running_receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything."""
    with running_receiver() as running:
        yield running


@pytest.fixture
def product(product_with: Callable[..., Product]) -> Product:
    """The product of a local stage."""
    return product_with(private_webhooks=True)


@pytest.fixture
def deployed(product_with: Callable[..., Product]) -> Product:
    """The product as it runs in AWS, where webhooks go to public addresses alone."""
    return product_with()


@pytest.fixture
def server() -> Iterator[RawServer]:
    """A receiver that sends exactly the bytes a test gives it."""
    with RawServer() as raw_server:
        yield raw_server
