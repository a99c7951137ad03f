"""Faults in jobs at Hugging Face's partners, at the calls where one can differ from another."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.harness.providers import (
    HF_FAL_AI,
    HF_MUSIC,
    HF_NSCALE,
    HF_REPLICATE,
    HF_TOGETHER,
    HF_WAVESPEED,
    Provider,
    RunningProvider,
)
from tests.kill import simulation
from tests.kill.fault_injection import ChooseFaultPoints, Scenario, run_scenario
from tests.kill.fault_points import provider_fault_points
from tests.kill.provider_scenarios import ALONE, scenarios_of, submit
from tests.kill.simulation import Simulation


def an_image_on_an_open_connection(sim: Simulation) -> None:
    submit(sim, "job")


def a_failed_image(sim: Simulation) -> None:
    sim.server.fault(sim.provider.failure, times=1)
    submit(sim, "job", max_charges=3)


OPEN_CONNECTION = [
    Scenario(steps=an_image_on_an_open_connection, ends={"job": "succeeded"}, settings=ALONE),
    Scenario(steps=a_failed_image, ends={"job": "succeeded"}, may_lack=1, settings=ALONE),
]


def two_jobs(sim: Simulation) -> None:
    submit(sim, "first")
    submit(sim, "second", prompt="another")


# the polled partners differ only in field names, so one of them covers cancels and late results
CASES = [
    pytest.param(provider, scenario, id=f"{provider.name}, {provider.request['model']}, {scenario.name}")
    for provider, scenarios in (
        (HF_FAL_AI, scenarios_of(HF_FAL_AI)),
        (HF_MUSIC, scenarios_of(HF_MUSIC)[:2]),
        (HF_WAVESPEED, scenarios_of(HF_WAVESPEED)[:2]),
        (HF_REPLICATE, scenarios_of(HF_REPLICATE)[:2]),
        (HF_NSCALE, OPEN_CONNECTION),
        (HF_TOGETHER, OPEN_CONNECTION),
    )
    for scenario in scenarios
]


@pytest.mark.parametrize(("provider", "scenario"), CASES)
def test_no_fault_breaks_a_guarantee(
    provider: Provider,
    scenario: Scenario,
    survives_with: Callable[[Scenario, RunningProvider, ChooseFaultPoints], None],
) -> None:
    """The job ends as expected and its ledger is right, after a fault at any call of any process."""
    with provider.running(polls=1) as running:
        survives_with(scenario, running, provider_fault_points)


def test_a_slow_hub_makes_no_start_late(monkeypatch: pytest.MonkeyPatch, haste: None) -> None:
    """The first job waits ten seconds to read who serves the model. The second one still keeps the window."""
    monkeypatch.setattr(simulation, "OTHER_CALL_SECONDS", 10.0)
    limits = {HF_FAL_AI.server: {"windows": [[1, 30]]}}
    settings = {"cache": "off", "limits": limits, "start_tolerance": 1}
    scenario = Scenario(steps=two_jobs, ends={"first": "succeeded", "second": "succeeded"}, settings=settings)
    with HF_FAL_AI.running(polls=1) as running:
        assert run_scenario(scenario, running).violations == []
