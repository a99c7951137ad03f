"""Callers who change their minds, while the functions that serve them are struck at every call."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import pytest
from PIL import Image

from tests.kill.edge import Moment
from tests.kill.life import Life
from tests.kill.theater import Scenario

TRACK = {"prompt": "upbeat techno with heavy bass", "duration": 2}
CAPPED = {"owner_caps": {"usd": 1, "jobs": 9, "open_jobs": 5}, "limits": {"*": {"windows": [[1, 240]]}}}


def _image() -> str:
    drawn = io.BytesIO()
    Image.new("RGB", (64, 64)).save(drawn, "PNG")
    return f"data:image/png;base64,{base64.b64encode(drawn.getvalue()).decode()}"


VIDEO = {"model": "svd", "image": _image()}


def a_cancel_while_waiting(life: Life) -> None:
    with life.undisturbed():
        job = life.submit("job", TRACK)
    life.cancel(job)


def a_cancel_while_calling(life: Life) -> None:
    with life.undisturbed():
        job = life.submit("job", TRACK)
    life.meanwhile(lambda: life.cancel(job))


def a_cancel_while_a_call_fails(life: Life) -> None:
    life.server.fault("loading", times=None)
    with life.undisturbed():
        job = life.submit("job", TRACK)
    life.meanwhile(lambda: life.cancel(job))


def a_cancel_after_a_crash(life: Life) -> None:
    with life.undisturbed():
        job = life.submit("job", TRACK)
        life.crash_worker(Moment.AFTER)
        life.deliver()
    life.cancel(job)


def a_cancel_after_a_crash_past_the_result(life: Life) -> None:
    with life.undisturbed():
        job = life.submit("job", TRACK)
        life.crash_worker(Moment.AFTER, "s3 PutObject")
        life.deliver()
    life.cancel(job)


def a_retry_of_a_failed_job(life: Life) -> None:
    with life.undisturbed():
        life.server.fault("invalid", times=2)
        job = life.submit("job", TRACK)
        life.settle()
    life.retry(job)


def a_retry_of_a_canceled_job_still_calling(life: Life) -> None:
    with life.undisturbed():
        job = life.submit("job", TRACK)

    def change_minds() -> None:
        life.cancel(job)
        life.retry(job)

    life.meanwhile(change_minds)


def a_delete(life: Life) -> None:
    with life.undisturbed():
        job = life.submit("job", TRACK)
        life.settle()
    life.delete(job)


def a_delete_while_calling(life: Life) -> None:
    with life.undisturbed():
        job = life.submit("job", TRACK)

    def change_minds() -> None:
        life.cancel(job)
        life.delete(job)

    life.meanwhile(change_minds)


def a_delete_after_a_crash_past_the_result(life: Life) -> None:
    with life.undisturbed():
        job = life.submit("job", TRACK)
        life.crash_worker(Moment.AFTER, "s3 PutObject")
        life.deliver()
    life.cancel(job)
    life.delete(job)


def a_video_that_is_deleted(life: Life) -> None:
    video = life.submit("job", VIDEO)
    with life.undisturbed():
        life.settle()
    life.delete(video)


CANCELED = {"job": "canceled"}
SCENARIOS = [
    Scenario(live=a_cancel_while_waiting, ends=CANCELED, settings=CAPPED),
    Scenario(live=a_cancel_while_calling, ends=CANCELED, settings=CAPPED),
    Scenario(live=a_cancel_while_a_call_fails, ends=CANCELED, settings=CAPPED),
    Scenario(live=a_cancel_after_a_crash, ends=CANCELED, settings=CAPPED),
    Scenario(live=a_cancel_after_a_crash_past_the_result, ends=CANCELED, settings=CAPPED),
    Scenario(live=a_retry_of_a_failed_job, ends={"job": "failed", "retry of job": "succeeded"}, settings=CAPPED),
    Scenario(
        live=a_retry_of_a_canceled_job_still_calling,
        ends={"job": "canceled", "retry of job": "succeeded"},
        settings=CAPPED,
    ),
    Scenario(live=a_delete, ends={"job": "succeeded"}, settings=CAPPED),
    Scenario(live=a_video_that_is_deleted, ends={"job": "succeeded"}, settings=CAPPED),
    Scenario(live=a_delete_while_calling, ends=CANCELED, forgotten=1, settings=CAPPED),
    Scenario(live=a_delete_after_a_crash_past_the_result, ends=CANCELED, forgotten=1, settings=CAPPED),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_strike_breaks_a_promise(scenario: Scenario, survives: Callable[[Scenario], None]) -> None:
    """At whichever call a function dies, or a reply gets lost, the job comes to its end and the books are right."""
    survives(scenario)
