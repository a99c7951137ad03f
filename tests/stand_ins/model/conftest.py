"""The stand-in model server that each of these tests starts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.stand_ins.model import ModelServer


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A quick server for this test alone, which may add faults to it."""
    with ModelServer(quick=True) as server:
        yield server
