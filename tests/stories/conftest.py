"""What stories share: time that stands still between what happens."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import time_machine


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time that moves only when a test says so."""
    with time_machine.travel(time.time(), tick=False) as coordinates:
        yield coordinates
