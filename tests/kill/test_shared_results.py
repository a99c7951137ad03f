"""Faults in jobs that share a result: leaders, followers and cache hits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kill.fault_injection import Scenario
from tests.kill.simulation import Simulation

TRACK = {"prompt": "upbeat techno with heavy bass", "duration": 2}
CAPPED = {"owner_caps": {"usd": 1, "jobs": 9, "open_jobs": 5}, "deployment_caps": {"usd": 9}}


def a_leader_and_its_follower(sim: Simulation) -> None:
    sim.submit("leader", TRACK)
    sim.submit("follower", TRACK)


def a_follower_whose_leader_fails(sim: Simulation) -> None:
    sim.server.fault("invalid", times=1)
    with sim.without_faults():
        sim.submit("leader", TRACK)
        sim.submit("follower", TRACK)


def a_follower_whose_leader_is_canceled_during_its_call(sim: Simulation) -> None:
    with sim.without_faults():
        leader = sim.submit("leader", TRACK)
        sim.submit("follower", TRACK)
    sim.during_next_call(lambda: sim.cancel(leader))


def a_follower_that_is_canceled(sim: Simulation) -> None:
    with sim.without_faults():
        sim.submit("leader", TRACK)
        follower = sim.submit("follower", TRACK)
    sim.cancel(follower)


def a_cache_hit(sim: Simulation) -> None:
    with sim.without_faults():
        sim.submit("first", TRACK)
        sim.settle()
    sim.submit("second", TRACK)


def a_cache_hit_whose_file_is_gone(sim: Simulation) -> None:
    with sim.without_faults():
        first = sim.submit("first", TRACK)
        sim.settle()
        sim.delete(first)
    sim.submit("second", TRACK)


def a_fresh_result(sim: Simulation) -> None:
    with sim.without_faults():
        sim.submit("first", TRACK)
        sim.settle()
    sim.submit("second", {**TRACK, "fresh": True})


def a_retry_while_another_leads(sim: Simulation) -> None:
    with sim.without_faults():
        sim.server.fault("invalid", times=1)
        failed = sim.submit("failed", TRACK)
        sim.settle()
        sim.submit("leader", TRACK)
    sim.retry(failed)


SCENARIOS = [
    Scenario(steps=a_leader_and_its_follower, ends={"leader": "succeeded", "follower": "succeeded"}, settings=CAPPED),
    Scenario(
        steps=a_follower_whose_leader_fails,
        ends={"leader": "failed | succeeded", "follower": "succeeded"},
        settings=CAPPED,
    ),
    Scenario(
        steps=a_follower_whose_leader_is_canceled_during_its_call,
        ends={"leader": "canceled", "follower": "succeeded"},
        settings=CAPPED,
    ),
    Scenario(steps=a_follower_that_is_canceled, ends={"leader": "succeeded", "follower": "canceled"}, settings=CAPPED),
    Scenario(steps=a_cache_hit, ends={"first": "succeeded", "second": "succeeded"}, settings=CAPPED),
    Scenario(steps=a_cache_hit_whose_file_is_gone, ends={"first": "succeeded", "second": "succeeded"}, settings=CAPPED),
    Scenario(steps=a_fresh_result, ends={"first": "succeeded", "second": "succeeded"}, settings=CAPPED),
    Scenario(
        steps=a_retry_while_another_leads,
        ends={"failed": "failed", "leader": "succeeded", "retry of failed": "succeeded"},
        settings=CAPPED,
    ),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_fault_breaks_a_guarantee(scenario: Scenario, survives: Callable[[Scenario], None]) -> None:
    """Each job ends as expected and its ledger is right, after a fault at any call of any process."""
    survives(scenario)
