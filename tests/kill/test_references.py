"""Jobs whose provider answers with a reference, struck at every call of their lives: each post, poll and download.

Each provider is one row of `parts.PROVIDERS`, and all play the same lives: the first at every point, the others where
they can differ from it. The submission is struck in the lives of
other files: it is over before anybody knows which provider it will be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.kill.life import Life
from tests.kill.parts import PROVIDERS, Part, Provider
from tests.kill.points import points_at_the_provider, points_of
from tests.kill.theatre import Points, Scenario

ALONE = {"cache": "off"}
CALLED_BACK = "a_generation_that_calls_back"


def everything(server: str) -> dict[str, Any]:
    """Caps, pacing and the cache."""
    return {
        "owner_caps": {"usd": 5, "jobs": 10},
        "limits": {server: {"windows": [[1, 30]], "max_concurrent": 1}},
        "start_tolerance": 1,
    }


def a_referred_job(life: Life) -> None:
    _submit(life, "job")


def a_referred_job_with_everything(life: Life) -> None:
    _submit(life, "job")


def a_referred_leader_and_its_follower(life: Life) -> None:
    _submit(life, "leader")
    _submit(life, "follower")


def a_generation_that_fails(life: Life) -> None:
    life.server.fault(life.part.fails, times=1)
    _submit(life, "job", max_charges=3)


def a_generation_cancelled_meanwhile(life: Life) -> None:
    job = _submit(life, "job")
    with life.undisturbed():
        life.deliver()
    life.cancel(job)


def a_generation_that_takes_too_long(life: Life) -> None:
    life.server.polls = 10_000
    _submit(life, "job", deadline_seconds=120)


def a_generation_that_calls_back(life: Life) -> None:
    _submit(life, "job")
    life.deliver()
    life.hear_back()


def _submit(life: Life, name: str, **wishes: Any) -> str:
    with life.undisturbed():
        return life.submit(name, {**life.part.request, **wishes})


def scenarios(server: str) -> list[Scenario]:
    """The lives, with settings that name this server."""
    return [
        Scenario(live=a_referred_job, ends={"job": "succeeded"}, settings=ALONE),
        Scenario(live=a_referred_job_with_everything, ends={"job": "succeeded"}, settings=everything(server)),
        Scenario(live=a_referred_leader_and_its_follower, ends={"leader": "succeeded", "follower": "succeeded"}),
        # what a failed or canceled generation costs, a provider need not say: that one stays unknown
        Scenario(live=a_generation_that_fails, ends={"job": "succeeded"}, forgotten=1, settings=ALONE),
        Scenario(live=a_generation_cancelled_meanwhile, ends={"job": "canceled"}, forgotten=1, settings=ALONE),
        Scenario(live=a_generation_that_takes_too_long, ends={"job": "failed"}, forgotten=1, settings=ALONE),
        Scenario(live=a_generation_that_calls_back, ends={"job": "succeeded"}, settings=ALONE),
    ]


CASES = [
    pytest.param(provider, scenario, id=f"{provider.name}, {scenario.name}")
    for provider in PROVIDERS
    for scenario in scenarios(provider.server)
    if provider.calls_back or scenario.name != CALLED_BACK
]


@pytest.mark.parametrize(("provider", "scenario"), CASES)
def test_no_strike_breaks_a_promise(
    provider: Provider, scenario: Scenario, survives_with: Callable[[Scenario, Part, Points], None]
) -> None:
    """At whichever call its function dies, or the reply gets lost, the job comes to its end and the books are right."""
    points = points_of if provider is PROVIDERS[0] else points_at_the_provider
    with provider.playing() as part:
        survives_with(scenario, part, points)
