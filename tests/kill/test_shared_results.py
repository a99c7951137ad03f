"""Jobs that share one result, each struck at every call of theirs: leaders, followers and hits."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kill.life import Life
from tests.kill.theater import Scenario

TRACK = {"prompt": "upbeat techno with heavy bass", "duration": 2}
CAPPED = {"owner_caps": {"usd": 1, "jobs": 9, "open_jobs": 5}, "deployment_caps": {"usd": 9}}


def a_leader_and_its_follower(life: Life) -> None:
    life.submit("leader", TRACK)
    life.submit("follower", TRACK)


def a_follower_whose_leader_fails(life: Life) -> None:
    life.server.fault("invalid", times=2)
    with life.undisturbed():
        life.submit("leader", TRACK)
        life.submit("follower", TRACK)


def a_follower_whose_leader_is_canceled_in_its_call(life: Life) -> None:
    with life.undisturbed():
        leader = life.submit("leader", TRACK)
        life.submit("follower", TRACK)
    life.meanwhile(lambda: life.cancel(leader))


def a_follower_that_is_canceled(life: Life) -> None:
    with life.undisturbed():
        life.submit("leader", TRACK)
        follower = life.submit("follower", TRACK)
    life.cancel(follower)


def a_hit(life: Life) -> None:
    with life.undisturbed():
        life.submit("first", TRACK)
        life.settle()
    life.submit("second", TRACK)


def a_hit_whose_file_is_gone(life: Life) -> None:
    with life.undisturbed():
        first = life.submit("first", TRACK)
        life.settle()
        life.delete(first)
    life.submit("second", TRACK)


def a_result_asked_for_afresh(life: Life) -> None:
    with life.undisturbed():
        life.submit("first", TRACK)
        life.settle()
    life.submit("second", {**TRACK, "fresh": True})


def a_retry_while_another_leads(life: Life) -> None:
    with life.undisturbed():
        life.server.fault("invalid", times=2)
        failed = life.submit("failed", TRACK)
        life.settle()
        life.submit("leader", TRACK)
    life.retry(failed)


SCENARIOS = [
    Scenario(live=a_leader_and_its_follower, ends={"leader": "succeeded", "follower": "succeeded"}, settings=CAPPED),
    Scenario(
        live=a_follower_whose_leader_fails,
        ends={"leader": "failed | succeeded", "follower": "succeeded"},
        settings=CAPPED,
    ),
    Scenario(
        live=a_follower_whose_leader_is_canceled_in_its_call,
        ends={"leader": "canceled", "follower": "succeeded"},
        settings=CAPPED,
    ),
    Scenario(live=a_follower_that_is_canceled, ends={"leader": "succeeded", "follower": "canceled"}, settings=CAPPED),
    Scenario(live=a_hit, ends={"first": "succeeded", "second": "succeeded"}, settings=CAPPED),
    Scenario(live=a_hit_whose_file_is_gone, ends={"first": "succeeded", "second": "succeeded"}, settings=CAPPED),
    Scenario(live=a_result_asked_for_afresh, ends={"first": "succeeded", "second": "succeeded"}, settings=CAPPED),
    Scenario(
        live=a_retry_while_another_leads,
        ends={"failed": "failed", "leader": "succeeded", "retry of failed": "succeeded"},
        settings=CAPPED,
    ),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_strike_breaks_a_promise(scenario: Scenario, survives: Callable[[Scenario], None]) -> None:
    """At whichever call a function dies, or a reply gets lost, each job comes to its end and the books are right."""
    survives(scenario)
