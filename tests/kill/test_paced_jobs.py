"""Jobs of a paced account with budgets and a cache, struck at every call of theirs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.kill.life import Life
from tests.kill.theater import Scenario

TRACK = {"prompt": "upbeat techno with heavy bass", "duration": 2}
OTHER = {**TRACK, "prompt": "a slow waltz"}
CAPS = {"owner_caps": {"usd": 1, "jobs": 9, "open_jobs": 5}, "deployment_caps": {"usd": 9}}
PACED = {**CAPS, "limits": {"*": {"windows": [[1, 40], [4, 3_600]], "max_concurrent": 1}}}
CROWDED = {**CAPS, "limits": {"*": {"windows": [[30, 3_600]], "max_concurrent": 1}}}
SLOW = {**CAPS, "limits": {"*": {"windows": [[1, 300]]}}, "cache": "off"}
FAR = {**CAPS, "limits": {"*": {"windows": [[1, 900]]}}}


def a_line_of_two(life: Life) -> None:
    life.submit("first", TRACK)
    life.submit("second", OTHER)


def a_throttled_start(life: Life) -> None:
    life.server.fault("throttled", retry_after=100, times=1)
    with life.undisturbed():
        life.submit("job", TRACK)


def two_calls_where_one_has_room(life: Life) -> None:
    with life.undisturbed():
        life.submit("first", TRACK)
    life.submit("second", OTHER)
    life.meanwhile(life.deliver)


def a_canceled_start(life: Life) -> None:
    with life.undisturbed():
        life.submit("first", TRACK)
        second = life.submit("second", OTHER)
    life.cancel(second)


def a_missed_start(life: Life) -> None:
    with life.undisturbed():
        life.submit("first", TRACK)
        life.submit("second", OTHER)
        life.lose_messages()


def a_start_pushed_past_its_deadline(life: Life) -> None:
    with life.undisturbed():
        life.server.fault("throttled", retry_after=200, times=1)
        life.submit("first", TRACK)
        life.submit("second", {**OTHER, "deadline_seconds": 310})
        life.deliver()


SCENARIOS = [
    Scenario(live=a_line_of_two, ends={"first": "succeeded", "second": "succeeded"}, settings=PACED),
    Scenario(live=a_throttled_start, ends={"job": "succeeded"}, settings=PACED),
    Scenario(live=two_calls_where_one_has_room, ends={"first": "succeeded", "second": "succeeded"}, settings=CROWDED),
    Scenario(live=a_canceled_start, ends={"first": "succeeded", "second": "canceled"}, settings=FAR),
    Scenario(live=a_missed_start, ends={"first": "succeeded", "second": "succeeded"}, settings=PACED),
    Scenario(live=a_start_pushed_past_its_deadline, ends={"first": "succeeded", "second": "failed"}, settings=SLOW),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_strike_breaks_a_promise(scenario: Scenario, survives: Callable[[Scenario], None]) -> None:
    """At whichever call a function dies, or a reply gets lost, each job comes to its end and the books are right."""
    survives(scenario)
