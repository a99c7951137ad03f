"""Faults in jobs at fal, at the calls where it can differ from Replicate."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.harness.providers import FAL, RunningProvider
from tests.kill.fault_injection import ChooseFaultPoints, Scenario
from tests.kill.fault_points import provider_fault_points
from tests.kill.provider_scenarios import scenarios_of


@pytest.mark.parametrize("scenario", scenarios_of(FAL), ids=lambda scenario: scenario.name)
def test_no_fault_breaks_a_guarantee(
    scenario: Scenario, survives_with: Callable[[Scenario, RunningProvider, ChooseFaultPoints], None]
) -> None:
    """The job ends as expected and its ledger is right, after a fault at any call of any process."""
    with FAL.running(polls=1) as provider:
        survives_with(scenario, provider, provider_fault_points)
