"""Faults in jobs at a Gradio app, whose calls end once and cost nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.harness.providers import SPACE, RunningProvider
from tests.kill.fault_injection import ChooseFaultPoints, Scenario
from tests.kill.fault_points import provider_fault_points
from tests.kill.provider_scenarios import scenarios_of


@pytest.mark.parametrize("scenario", scenarios_of(SPACE), ids=lambda scenario: scenario.name)
def test_no_fault_breaks_a_guarantee(
    scenario: Scenario, survives_with: Callable[[Scenario, RunningProvider, ChooseFaultPoints], None]
) -> None:
    """The job ends as expected and its ledger shows no charge, after a fault at any call of any process."""
    with SPACE.running() as provider:
        survives_with(scenario, provider, provider_fault_points)
