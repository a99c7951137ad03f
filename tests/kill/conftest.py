"""Fixtures of the kill tests: a scenario is run once for each fault point."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.stand_ins.model import ModelServer
from tests.harness.haste import with_room
from tests.harness.providers import RunningProvider, model_server_provider
from tests.harness.summaries import POINTS, STRIKES
from tests.kill.fault_injection import ChooseFaultPoints, Scenario, inject_everywhere
from tests.kill.fault_points import fault_points
from tests.kill.injector import Fault

Survives = Callable[[Scenario], None]


@pytest.fixture
def survives_with(haste: None, record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Run a scenario at all or the chosen fault points; each failure is reported with its point."""

    def check(scenario: Scenario, provider: RunningProvider, points: ChooseFaultPoints = fault_points) -> None:
        result = with_room(lambda: inject_everywhere(scenario, provider, points))
        record_property(STRIKES, result.injected)
        record_property(POINTS, result.calls * len(Fault))
        if result.failures:
            pytest.fail(f"{len(result.failures)} broken guarantees:\n" + "\n".join(result.failures), pytrace=False)

    return check


@pytest.fixture
def survives(survives_with: Callable[..., None], model_server: ModelServer) -> Survives:
    """The same with a provider that keeps the connection open."""
    return lambda scenario: survives_with(scenario, model_server_provider(model_server))
