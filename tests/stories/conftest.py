"""The clock that stories share."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import time_machine


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that a test moves; it starts at the present time."""
    with time_machine.travel(time.time(), tick=False) as coordinates:
        yield coordinates
