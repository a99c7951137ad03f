"""Faults in jobs at Replicate, at every call: each post, poll, download and callback."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.harness.providers import REPLICATE, RunningProvider
from tests.kill.fault_injection import ChooseFaultPoints, Scenario
from tests.kill.fault_points import fault_points
from tests.kill.provider_scenarios import common_scenarios, scenarios_of


@pytest.mark.parametrize(
    "scenario", [*common_scenarios(), *scenarios_of(REPLICATE)], ids=lambda scenario: scenario.name
)
def test_no_fault_breaks_a_guarantee(
    scenario: Scenario, survives_with: Callable[[Scenario, RunningProvider, ChooseFaultPoints], None]
) -> None:
    """The job ends as expected and its ledger is right, after a fault at any call of any process."""
    with REPLICATE.running(polls=1) as provider:
        survives_with(scenario, provider, fault_points)
