"""One job, struck at every call of its life."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kill.edge import Moment
from tests.kill.life import Life
from tests.kill.theater import Scenario

TRACK = {"prompt": "upbeat techno with heavy bass", "duration": 2}
ALONE = {"cache": "off"}


def a_plain_job(life: Life) -> None:
    life.submit("job", TRACK)


def a_job_whose_caller_gives_up(life: Life) -> None:
    life.submit("job", TRACK, patient=False)
    with life.undisturbed():
        life.settle()


def a_loading_model(life: Life) -> None:
    life.server.fault("loading", times=1)
    life.submit("job", TRACK)


def a_server_error_and_another_try(life: Life) -> None:
    life.server.fault("server_error", times=1)
    life.submit("job", {**TRACK, "max_charges": 3})


def a_server_that_stays_broken(life: Life) -> None:
    life.server.fault("server_error", times=None)
    life.submit("job", TRACK)


def a_refused_prompt(life: Life) -> None:
    life.server.fault("invalid", times=None)
    life.submit("job", TRACK)


def a_model_served_by_the_next_route_only(life: Life) -> None:
    life.server.fault("gone", times=1)
    life.submit("job", TRACK)


def a_deadline_that_passes(life: Life) -> None:
    with life.undisturbed():
        life.submit("job", {**TRACK, "deadline_seconds": 60})
    life.lose_messages()


def a_worker_that_died_before_its_call(life: Life) -> None:
    with life.undisturbed():
        life.submit("job", TRACK)
        life.crash_worker(Moment.BEFORE)
        life.deliver()


def a_worker_that_died_after_storing(life: Life) -> None:
    with life.undisturbed():
        life.submit("job", TRACK)
        life.crash_worker(Moment.AFTER, "s3 PutObject")
        life.deliver()


def a_worker_that_died_and_may_not_pay_again(life: Life) -> None:
    with life.undisturbed():
        life.submit("job", {**TRACK, "max_charges": 1})
        life.crash_worker(Moment.AFTER)
        life.deliver()


def a_job_that_kills_its_workers(life: Life) -> None:
    with life.undisturbed():
        life.submit("job", {**TRACK, "max_charges": 5})
        for _ in range(2):
            life.crash_worker(Moment.AFTER)
            life.pass_time(90)
        life.crash_worker(Moment.AFTER)
        life.pass_time(60)


SCENARIOS = [
    Scenario(live=a_plain_job, ends={"job": "succeeded"}, settings=ALONE),
    Scenario(live=a_job_whose_caller_gives_up, ends={"job": "succeeded | never created"}, settings=ALONE),
    Scenario(live=a_loading_model, ends={"job": "succeeded"}, settings=ALONE),
    Scenario(live=a_server_error_and_another_try, ends={"job": "succeeded"}, settings=ALONE),
    Scenario(live=a_server_that_stays_broken, ends={"job": "failed"}, settings=ALONE),
    Scenario(live=a_refused_prompt, ends={"job": "failed"}, settings=ALONE),
    Scenario(live=a_model_served_by_the_next_route_only, ends={"job": "succeeded"}, settings=ALONE),
    Scenario(live=a_deadline_that_passes, ends={"job": "failed"}, settings=ALONE),
    Scenario(live=a_worker_that_died_before_its_call, ends={"job": "succeeded | failed"}, settings=ALONE),
    Scenario(live=a_worker_that_died_after_storing, ends={"job": "succeeded"}, settings=ALONE),
    Scenario(live=a_worker_that_died_and_may_not_pay_again, ends={"job": "failed"}, settings=ALONE),
    Scenario(live=a_job_that_kills_its_workers, ends={"job": "failed"}, settings=ALONE),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_strike_breaks_a_promise(scenario: Scenario, survives: Callable[[Scenario], None]) -> None:
    """At whichever call its function dies, or the reply gets lost, the job comes to its end and the books are right."""
    survives(scenario)
