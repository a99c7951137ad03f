"""The stand-in model server that each of these tests starts."""

from collections.abc import Iterator

import pytest

from local.stand_ins.model import ModelServer


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A quick server of the test's own, to break things in."""
    with ModelServer(quick=True) as server:
        yield server
