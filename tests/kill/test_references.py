"""Jobs whose provider answers with a reference, struck at every call of their lives: each post, poll and download."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kill.life import Life
from tests.kill.theatre import Scenario

TRACK = {"prompt": "upbeat techno with heavy bass", "duration": 2, "model": "musicgen-large"}
ALONE = {"cache": "off"}
EVERYTHING = {
    "owner_caps": {"usd": 5, "jobs": 10},
    "limits": {"replicate": {"windows": [[1, 30]], "max_concurrent": 1}},
    "start_tolerance": 1,
}


def a_referred_job(life: Life) -> None:
    life.submit("job", TRACK)


def a_referred_job_with_everything(life: Life) -> None:
    life.submit("job", TRACK)


def a_referred_leader_and_its_follower(life: Life) -> None:
    life.submit("leader", TRACK)
    life.submit("follower", TRACK)


def a_generation_that_fails(life: Life) -> None:
    life.server.fault("failed", times=1)
    life.submit("job", {**TRACK, "max_charges": 3})


def a_generation_cancelled_meanwhile(life: Life) -> None:
    with life.undisturbed():
        job = life.submit("job", TRACK)
        life.deliver()
    life.cancel(job)


def a_generation_that_takes_too_long(life: Life) -> None:
    life.server.polls = 10_000
    life.submit("job", {**TRACK, "deadline_seconds": 120})


SCENARIOS = [
    Scenario(live=a_referred_job, ends={"job": "succeeded"}, settings=ALONE),
    Scenario(live=a_referred_job_with_everything, ends={"job": "succeeded"}, settings=EVERYTHING),
    Scenario(live=a_referred_leader_and_its_follower, ends={"leader": "succeeded", "follower": "succeeded"}),
    # what a failed or canceled prediction costs, Replicate does not say: that one stays unknown
    Scenario(live=a_generation_that_fails, ends={"job": "succeeded"}, forgotten=1, settings=ALONE),
    Scenario(live=a_generation_cancelled_meanwhile, ends={"job": "canceled"}, forgotten=1, settings=ALONE),
    Scenario(live=a_generation_that_takes_too_long, ends={"job": "failed"}, forgotten=1, settings=ALONE),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_strike_breaks_a_promise(scenario: Scenario, survives_by_reference: Callable[[Scenario], None]) -> None:
    """At whichever call its function dies, or the reply gets lost, the job comes to its end and the books are right."""
    survives_by_reference(scenario)
