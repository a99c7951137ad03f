"""Faults in one job, at every call."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kill.fault_injection import Scenario
from tests.kill.injector import Fault
from tests.kill.simulation import Simulation

TRACK = {"prompt": "upbeat techno with heavy bass", "duration": 2}
ALONE = {"cache": "off"}


def a_plain_job(sim: Simulation) -> None:
    sim.submit("job", TRACK)


def a_job_whose_caller_does_not_retry(sim: Simulation) -> None:
    sim.submit("job", TRACK, retries=False)
    with sim.without_faults():
        sim.settle()


def a_loading_model(sim: Simulation) -> None:
    sim.server.fault("loading", times=1)
    sim.submit("job", TRACK)


def a_server_error_and_a_second_call(sim: Simulation) -> None:
    sim.server.fault("server_error", times=1)
    sim.submit("job", {**TRACK, "max_charges": 3})


def a_server_that_stays_broken(sim: Simulation) -> None:
    sim.server.fault("server_error", times=None)
    sim.submit("job", TRACK)


def a_refused_prompt(sim: Simulation) -> None:
    sim.server.fault("invalid", times=None)
    sim.submit("job", TRACK)


def a_model_served_by_the_next_route_only(sim: Simulation) -> None:
    sim.server.fault("gone", times=1)
    sim.submit("job", TRACK)


def a_deadline_that_passes(sim: Simulation) -> None:
    with sim.without_faults():
        sim.submit("job", {**TRACK, "deadline_seconds": 60})
    sim.lose_messages()


def a_worker_crash_before_its_call(sim: Simulation) -> None:
    with sim.without_faults():
        sim.submit("job", TRACK)
        sim.crash_worker(Fault.KILL_BEFORE)
        sim.deliver()


def a_worker_crash_after_storing(sim: Simulation) -> None:
    with sim.without_faults():
        sim.submit("job", TRACK)
        sim.crash_worker(Fault.KILL_AFTER, "s3 PutObject")
        sim.deliver()


def a_worker_crash_with_one_allowed_charge(sim: Simulation) -> None:
    with sim.without_faults():
        sim.submit("job", {**TRACK, "max_charges": 1})
        sim.crash_worker(Fault.KILL_AFTER)
        sim.deliver()


def a_job_that_crashes_its_workers(sim: Simulation) -> None:
    with sim.without_faults():
        sim.submit("job", {**TRACK, "max_charges": 5})
        for _ in range(2):
            sim.crash_worker(Fault.KILL_AFTER)
            sim.pass_time(90)
        sim.crash_worker(Fault.KILL_AFTER)
        sim.pass_time(60)


def a_key_that_is_used_again_after_its_job_has_expired(sim: Simulation) -> None:
    with sim.without_faults():
        sim.submit("job", TRACK)
        sim.settle()
        sim.server.clear()  # the ledger of the old job is replaced, so neither its generation nor its usage is counted
        sim.forget_usage()
        sim.pass_time(1_300)
    sim.submit("job", {**TRACK, "prompt": "calm piano"})


TWO_ROUTES = {**ALONE, "also": ["router"]}
SCENARIOS = [
    Scenario(steps=a_plain_job, ends={"job": "succeeded"}, settings=ALONE),
    Scenario(steps=a_job_whose_caller_does_not_retry, ends={"job": "succeeded | never created"}, settings=ALONE),
    Scenario(steps=a_loading_model, ends={"job": "succeeded"}, settings=ALONE),
    Scenario(steps=a_server_error_and_a_second_call, ends={"job": "succeeded"}, settings=ALONE),
    Scenario(steps=a_server_that_stays_broken, ends={"job": "failed"}, settings=ALONE),
    Scenario(steps=a_refused_prompt, ends={"job": "failed"}, settings=ALONE),
    Scenario(steps=a_model_served_by_the_next_route_only, ends={"job": "succeeded"}, settings=TWO_ROUTES),
    Scenario(steps=a_deadline_that_passes, ends={"job": "failed"}, settings=ALONE),
    Scenario(steps=a_worker_crash_before_its_call, ends={"job": "succeeded | failed"}, settings=ALONE),
    Scenario(steps=a_worker_crash_after_storing, ends={"job": "succeeded"}, settings=ALONE),
    Scenario(steps=a_worker_crash_with_one_allowed_charge, ends={"job": "failed"}, settings=ALONE),
    Scenario(steps=a_job_that_crashes_its_workers, ends={"job": "failed"}, settings=ALONE),
    Scenario(
        steps=a_key_that_is_used_again_after_its_job_has_expired,
        ends={"job": "succeeded"},
        settings={**ALONE, "retention": 60},
    ),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_fault_breaks_a_guarantee(scenario: Scenario, survives: Callable[[Scenario], None]) -> None:
    """The job ends as expected and its ledger is right, after a fault at any call of any process."""
    survives(scenario)
