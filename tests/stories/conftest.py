"""The clock that stories share, and what happens while a function sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import time_machine
from longplay.domain.settings import DAY, HOUR


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    """A clock that a test moves, and that moves while a function sleeps.

    It starts at the present time, or an hour later in the last hour of a day (UTC), so that short stories have one day.
    """
    late = DAY - time.time() % DAY < HOUR
    with time_machine.travel(time.time() + late * HOUR, tick=False) as coordinates:
        monkeypatch.setattr(time, "sleep", coordinates.shift)
        yield coordinates


@pytest.fixture
def at(clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch) -> Callable[[float, Callable[[], object]], None]:
    """Lets something happen once this many seconds have been slept."""
    began, plan = time.time(), list[tuple[float, Callable[[], object]]]()

    def sleep(seconds: float) -> None:
        clock.shift(seconds)
        while plan and plan[0][0] <= time.time() - began + 1e-6:
            plan.pop(0)[1]()

    monkeypatch.setattr(time, "sleep", sleep)
    return lambda seconds, event: plan.append((seconds, event))
