"""Faults while callers cancel, retry and delete their jobs."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import pytest
from PIL import Image

from tests.kill.fault_injection import Scenario
from tests.kill.injector import Fault
from tests.kill.simulation import Simulation

TRACK = {"prompt": "upbeat techno with heavy bass", "duration": 2}
CAPPED = {"owner_caps": {"usd": 1, "jobs": 9, "open_jobs": 5}, "limits": {"*": {"windows": [[1, 240]]}}}


def _image() -> str:
    drawn = io.BytesIO()
    Image.new("RGB", (64, 64)).save(drawn, "PNG")
    return f"data:image/png;base64,{base64.b64encode(drawn.getvalue()).decode()}"


VIDEO = {"model": "svd", "image": _image()}


def a_cancel_while_waiting(sim: Simulation) -> None:
    with sim.without_faults():
        job = sim.submit("job", TRACK)
    sim.cancel(job)


def a_cancel_while_calling(sim: Simulation) -> None:
    with sim.without_faults():
        job = sim.submit("job", TRACK)
    sim.during_next_call(lambda: sim.cancel(job))


def a_cancel_while_a_call_fails(sim: Simulation) -> None:
    sim.server.fault("loading", times=None)
    with sim.without_faults():
        job = sim.submit("job", TRACK)
    sim.during_next_call(lambda: sim.cancel(job))


def a_cancel_after_a_crash(sim: Simulation) -> None:
    with sim.without_faults():
        job = sim.submit("job", TRACK)
        sim.crash_worker(Fault.KILL_AFTER)
        sim.deliver()
    sim.cancel(job)


def a_cancel_after_a_crash_after_storing(sim: Simulation) -> None:
    with sim.without_faults():
        job = sim.submit("job", TRACK)
        sim.crash_worker(Fault.KILL_AFTER, "s3 PutObject")
        sim.deliver()
    sim.cancel(job)


def a_retry_of_a_failed_job(sim: Simulation) -> None:
    with sim.without_faults():
        sim.server.fault("invalid", times=1)
        job = sim.submit("job", TRACK)
        sim.settle()
    sim.retry(job)


def a_retry_of_a_canceled_job_still_calling(sim: Simulation) -> None:
    with sim.without_faults():
        job = sim.submit("job", TRACK)

    def cancel_and_follow_up() -> None:
        sim.cancel(job)
        sim.retry(job)

    sim.during_next_call(cancel_and_follow_up)


def a_delete(sim: Simulation) -> None:
    with sim.without_faults():
        job = sim.submit("job", TRACK)
        sim.settle()
    sim.delete(job)


def a_delete_whose_caller_does_not_retry(sim: Simulation) -> None:
    with sim.without_faults():
        video = sim.submit("job", VIDEO)
        sim.settle()
    sim.delete(video, retries=False)


def a_delete_while_calling(sim: Simulation) -> None:
    with sim.without_faults():
        job = sim.submit("job", TRACK)

    def cancel_and_follow_up() -> None:
        sim.cancel(job)
        sim.delete(job)

    sim.during_next_call(cancel_and_follow_up)


def a_delete_while_calling_whose_caller_does_not_retry(sim: Simulation) -> None:
    with sim.without_faults():
        video = sim.submit("job", VIDEO)

    def cancel_and_follow_up() -> None:
        sim.cancel(video)
        sim.delete(video, retries=False)

    sim.during_next_call(cancel_and_follow_up)


def a_delete_after_a_crash_after_storing(sim: Simulation) -> None:
    with sim.without_faults():
        job = sim.submit("job", TRACK)
        sim.crash_worker(Fault.KILL_AFTER, "s3 PutObject")
        sim.deliver()
    sim.cancel(job)
    sim.delete(job)


def a_video_that_is_deleted(sim: Simulation) -> None:
    video = sim.submit("job", VIDEO)
    with sim.without_faults():
        sim.settle()
    sim.delete(video)


def a_second_job_in_the_room_of_the_first(sim: Simulation) -> None:
    with sim.without_faults():
        sim.submit("first", TRACK)
        sim.settle()
    sim.submit("second", {**TRACK, "prompt": "another"})


ONE_OPEN = {"owner_caps": {"open_jobs": 1}, "deployment_caps": {"open_jobs": 1}}
CANCELED = {"job": "canceled"}
SCENARIOS = [
    Scenario(steps=a_cancel_while_waiting, ends=CANCELED, settings=CAPPED),
    Scenario(steps=a_cancel_while_calling, ends=CANCELED, settings=CAPPED),
    Scenario(steps=a_cancel_while_a_call_fails, ends=CANCELED, settings=CAPPED),
    Scenario(steps=a_cancel_after_a_crash, ends=CANCELED, settings=CAPPED),
    Scenario(steps=a_cancel_after_a_crash_after_storing, ends=CANCELED, settings=CAPPED),
    Scenario(steps=a_retry_of_a_failed_job, ends={"job": "failed", "retry of job": "succeeded"}, settings=CAPPED),
    Scenario(
        steps=a_retry_of_a_canceled_job_still_calling,
        ends={"job": "canceled", "retry of job": "succeeded"},
        settings=CAPPED,
    ),
    Scenario(steps=a_delete, ends={"job": "succeeded"}, settings=CAPPED),
    Scenario(steps=a_delete_whose_caller_does_not_retry, ends={"job": "succeeded"}, settings=CAPPED),
    Scenario(steps=a_delete_while_calling_whose_caller_does_not_retry, ends=CANCELED, may_lack=1, settings=CAPPED),
    Scenario(steps=a_video_that_is_deleted, ends={"job": "succeeded"}, settings=CAPPED),
    Scenario(steps=a_delete_while_calling, ends=CANCELED, may_lack=1, settings=CAPPED),
    Scenario(
        steps=a_second_job_in_the_room_of_the_first,
        ends={"first": "succeeded", "second": "succeeded"},
        settings=ONE_OPEN,
    ),
    Scenario(steps=a_delete_after_a_crash_after_storing, ends=CANCELED, may_lack=1, settings=CAPPED),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_fault_breaks_a_guarantee(scenario: Scenario, survives: Callable[[Scenario], None]) -> None:
    """Each job ends as expected and its ledger is right, after a fault at any call of any process."""
    survives(scenario)
