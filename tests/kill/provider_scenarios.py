"""Scenarios of jobs whose provider answers with a reference, for each such provider."""

from __future__ import annotations

from typing import Any

from tests.harness.providers import Provider
from tests.kill.fault_injection import Scenario
from tests.kill.injector import Fault
from tests.kill.simulation import Simulation

ALONE = {"cache": "off"}


def caps_pacing_and_cache(server: str) -> dict[str, Any]:
    """Settings with caps and pacing; the cache is on."""
    return {
        "owner_caps": {"usd": 5, "jobs": 10},
        "limits": {server: {"windows": [[1, 30]], "max_concurrent": 1}},
        "start_tolerance": 1,
    }


def a_job_with_reference(sim: Simulation) -> None:
    submit(sim, "job")


def a_job_with_reference_caps_and_pacing(sim: Simulation) -> None:
    submit(sim, "job")


def a_leader_with_reference_and_its_follower(sim: Simulation) -> None:
    submit(sim, "leader")
    submit(sim, "follower")


def a_failed_generation(sim: Simulation) -> None:
    sim.server.fault(sim.provider.failure, times=1)
    submit(sim, "job", max_charges=1)


def a_failed_generation_and_a_second_one(sim: Simulation) -> None:
    sim.server.fault(sim.provider.failure, times=1)
    submit(sim, "job", max_charges=3)


def a_generation_canceled_at_its_provider(sim: Simulation) -> None:
    job = submit(sim, "job")
    with sim.without_faults():
        sim.deliver()
    sim.cancel(job)


def a_generation_slower_than_its_deadline(sim: Simulation) -> None:
    sim.provider.stall()
    submit(sim, "job", deadline_seconds=45)


def a_generation_reported_by_its_provider(sim: Simulation) -> None:
    submit(sim, "job")
    sim.deliver()
    sim.provider_reports()


def a_cancel_after_a_lost_answer(sim: Simulation) -> None:
    job = _submit_and_lose_the_answer(sim, Fault.REPLY_LOST)
    with sim.without_faults():
        sim.cancel(job)
    sim.provider_reports()


def a_cancel_after_a_crash_that_is_swept(sim: Simulation) -> None:
    job = _submit_and_lose_the_answer(sim, Fault.KILL_AFTER)
    with sim.without_faults():
        sim.cancel(job)
        sim.pass_time(130)
    sim.provider_reports()


def a_deadline_after_a_lost_answer(sim: Simulation) -> None:
    _submit_and_lose_the_answer(sim, Fault.REPLY_LOST, deadline_seconds=30)
    with sim.without_faults():
        sim.pass_time(130)
    sim.provider_reports()


def _submit_and_lose_the_answer(sim: Simulation, fault: Fault, **fields: Any) -> str:
    job = submit(sim, "job", **fields)
    with sim.without_faults():
        sim.crash_worker(fault)
        sim.deliver()
    return job


def submit(sim: Simulation, name: str, **fields: Any) -> str:
    """Submit a job without faults: a submission is the same for every provider, and other files test it."""
    with sim.without_faults():
        return sim.submit(name, {**sim.provider.request, **fields})


def scenarios_of(provider: Provider) -> list[Scenario]:
    """The scenarios in which one provider can differ from another."""
    failed, canceled = {"job": "failed"}, {"job": "canceled"}
    # a lost answer uses the one charge that is allowed, so no second generation follows
    failed_or_free = {"job": "succeeded | failed"} if provider.free else failed
    scenarios = [
        Scenario(
            steps=a_job_with_reference_caps_and_pacing,
            ends={"job": "succeeded"},
            settings=caps_pacing_and_cache(provider.server),
        ),
        # a provider may not report the cost of a failed or canceled generation: the charge stays unknown
        Scenario(steps=a_failed_generation, ends=failed_or_free, may_lack=1, settings=ALONE),
        Scenario(steps=a_generation_canceled_at_its_provider, ends=canceled, may_lack=provider.cancels, settings=ALONE),
        Scenario(steps=a_generation_slower_than_its_deadline, ends=failed, may_lack=1, settings=ALONE),
    ]
    return [*scenarios, *_reported()] if provider.reports else scenarios


def _reported() -> list[Scenario]:
    """The scenarios in which a provider reports the end of a generation."""
    capped = {**ALONE, "owner_caps": {"usd": 5, "open_jobs": 1}}
    ends = {
        a_generation_reported_by_its_provider: "succeeded",
        a_cancel_after_a_lost_answer: "canceled",
        a_cancel_after_a_crash_that_is_swept: "canceled",
        a_deadline_after_a_lost_answer: "failed",
    }
    return [Scenario(steps=steps, ends={"job": end}, settings=capped) for steps, end in ends.items()]


def common_scenarios() -> list[Scenario]:
    """The scenarios that are the same for every provider."""
    return [
        Scenario(steps=a_job_with_reference, ends={"job": "succeeded"}, settings=ALONE),
        Scenario(steps=a_leader_with_reference_and_its_follower, ends={"leader": "succeeded", "follower": "succeeded"}),
        Scenario(steps=a_failed_generation_and_a_second_one, ends={"job": "succeeded"}, may_lack=1, settings=ALONE),
    ]
