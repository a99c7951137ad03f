"""Faults in jobs of a paced account with budgets and a cache."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kill.fault_injection import Scenario
from tests.kill.simulation import Simulation

TRACK = {"prompt": "upbeat techno with heavy bass", "duration": 2}
OTHER = {**TRACK, "prompt": "a slow waltz"}
CAPS = {"owner_caps": {"usd": 1, "jobs": 9, "open_jobs": 5}, "deployment_caps": {"usd": 9}}
PACED = {**CAPS, "limits": {"*": {"windows": [[1, 40], [4, 3_600]], "max_concurrent": 1}}}
CROWDED = {**CAPS, "limits": {"*": {"windows": [[30, 3_600]], "max_concurrent": 1}}}
SLOW = {**CAPS, "limits": {"*": {"windows": [[1, 300]]}}, "cache": "off"}
FAR = {**CAPS, "limits": {"*": {"windows": [[1, 900]]}}}


def two_jobs_in_line(sim: Simulation) -> None:
    sim.submit("first", TRACK)
    sim.submit("second", OTHER)


def a_throttled_start(sim: Simulation) -> None:
    sim.server.fault("throttled", retry_after=100, times=1)
    with sim.without_faults():
        sim.submit("job", TRACK)


def two_jobs_and_one_call_at_once(sim: Simulation) -> None:
    with sim.without_faults():
        sim.submit("first", TRACK)
    sim.submit("second", OTHER)
    sim.during_next_call(sim.deliver)


def a_canceled_start(sim: Simulation) -> None:
    with sim.without_faults():
        sim.submit("first", TRACK)
        second = sim.submit("second", OTHER)
    sim.cancel(second)


def a_missed_start(sim: Simulation) -> None:
    with sim.without_faults():
        sim.submit("first", TRACK)
        sim.submit("second", OTHER)
        sim.lose_messages()


def a_start_pushed_past_its_deadline(sim: Simulation) -> None:
    with sim.without_faults():
        sim.server.fault("throttled", retry_after=200, times=1)
        sim.submit("first", TRACK)
        sim.submit("second", {**OTHER, "deadline_seconds": 310})
        sim.deliver()


SCENARIOS = [
    Scenario(steps=two_jobs_in_line, ends={"first": "succeeded", "second": "succeeded"}, settings=PACED),
    Scenario(steps=a_throttled_start, ends={"job": "succeeded"}, settings=PACED),
    Scenario(steps=two_jobs_and_one_call_at_once, ends={"first": "succeeded", "second": "succeeded"}, settings=CROWDED),
    Scenario(steps=a_canceled_start, ends={"first": "succeeded", "second": "canceled"}, settings=FAR),
    Scenario(steps=a_missed_start, ends={"first": "succeeded", "second": "succeeded"}, settings=PACED),
    Scenario(steps=a_start_pushed_past_its_deadline, ends={"first": "succeeded", "second": "failed"}, settings=SLOW),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_fault_breaks_a_guarantee(scenario: Scenario, survives: Callable[[Scenario], None]) -> None:
    """Each job ends as expected and its ledger is right, after a fault at any call of any process."""
    survives(scenario)
