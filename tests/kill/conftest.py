"""What the kill tests share: a scenario is played to the end at every point of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.stand_ins.model import ModelServer
from tests.harness.haste import with_room
from tests.harness.summaries import POINTS, STRIKES
from tests.kill.edge import Moment
from tests.kill.parts import Part, holding_the_line
from tests.kill.points import points_of
from tests.kill.theater import Points, Scenario, strike_everywhere

Survives = Callable[[Scenario], None]


@pytest.fixture
def survives_with(haste: None, record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Play a scenario to the end at every point of it, or at those chosen; every failure is named by its point."""

    def check(scenario: Scenario, part: Part, points: Points = points_of) -> None:
        season = with_room(lambda: strike_everywhere(scenario, part, points))
        record_property(STRIKES, season.strikes)
        record_property(POINTS, season.calls * len(Moment))
        if season.failures:
            pytest.fail(f"{len(season.failures)} complaints:\n" + "\n".join(season.failures), pytrace=False)

    return check


@pytest.fixture
def survives(survives_with: Callable[..., None], model_server: ModelServer) -> Survives:
    """The same with a provider that holds the line."""
    return lambda scenario: survives_with(scenario, holding_the_line(model_server))
