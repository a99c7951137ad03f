"""Faults in jobs at Hugging Face's partners, at the calls where one can differ from another."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kill.fault_injection import ChooseFaultPoints, Scenario
from tests.kill.fault_points import provider_fault_points
from tests.kill.parts import NSCALE, ROUTED_FAL, ROUTED_REPLICATE, TOGETHER, WAVESPEED, Part, Provider
from tests.kill.provider_scenarios import ALONE, scenarios_of, submit
from tests.kill.simulation import Simulation


def an_image_on_an_open_connection(sim: Simulation) -> None:
    submit(sim, "job")


def a_failed_image(sim: Simulation) -> None:
    sim.server.fault(sim.part.fails, times=1)
    submit(sim, "job", max_charges=3)


OPEN_CONNECTION = [
    Scenario(steps=an_image_on_an_open_connection, ends={"job": "succeeded"}, settings=ALONE),
    Scenario(steps=a_failed_image, ends={"job": "succeeded"}, may_lack=1, settings=ALONE),
]
# the polled partners differ only in field names, so one of them covers cancels and late results
CASES = [
    pytest.param(provider, scenario, id=f"{provider.name}, {scenario.name}")
    for provider, scenarios in (
        (ROUTED_FAL, scenarios_of(ROUTED_FAL)),
        (WAVESPEED, scenarios_of(WAVESPEED)[:2]),
        (ROUTED_REPLICATE, scenarios_of(ROUTED_REPLICATE)[:2]),
        (NSCALE, OPEN_CONNECTION),
        (TOGETHER, OPEN_CONNECTION),
    )
    for scenario in scenarios
]


@pytest.mark.parametrize(("provider", "scenario"), CASES)
def test_no_fault_breaks_a_guarantee(
    provider: Provider, scenario: Scenario, survives_with: Callable[[Scenario, Part, ChooseFaultPoints], None]
) -> None:
    """The job ends as expected and its ledger is right, after a fault at any call of any process."""
    with provider.playing() as part:
        survives_with(scenario, part, provider_fault_points)
