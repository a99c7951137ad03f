"""The clock that stories share."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import time_machine


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    """A clock that a test moves, and that moves while a function sleeps; it starts at the present time."""
    with time_machine.travel(time.time(), tick=False) as coordinates:
        monkeypatch.setattr(time, "sleep", coordinates.shift)
        yield coordinates
