"""Faults in jobs at Replicate, at every call: each post, poll, download and callback."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kill.fault_injection import ChooseFaultPoints, Scenario
from tests.kill.fault_points import fault_points
from tests.kill.parts import REPLICATE, Part
from tests.kill.provider_scenarios import common_scenarios, scenarios_of


@pytest.mark.parametrize(
    "scenario", [*common_scenarios(), *scenarios_of(REPLICATE)], ids=lambda scenario: scenario.name
)
def test_no_fault_breaks_a_guarantee(
    scenario: Scenario, survives_with: Callable[[Scenario, Part, ChooseFaultPoints], None]
) -> None:
    """The job ends as expected and its ledger is right, after a fault at any call of any process."""
    with REPLICATE.playing() as part:
        survives_with(scenario, part, fault_points)
