"""The lives of jobs whose provider answers with a reference: the same for each provider, but for what it cannot do."""

from __future__ import annotations

from typing import Any

from tests.kill.life import Life
from tests.kill.parts import Provider
from tests.kill.theater import Scenario

ALONE = {"cache": "off"}


def everything(server: str) -> dict[str, Any]:
    """Caps, pacing and the cache."""
    return {
        "owner_caps": {"usd": 5, "jobs": 10},
        "limits": {server: {"windows": [[1, 30]], "max_concurrent": 1}},
        "start_tolerance": 1,
    }


def a_referred_job(life: Life) -> None:
    submit(life, "job")


def a_referred_job_with_everything(life: Life) -> None:
    submit(life, "job")


def a_referred_leader_and_its_follower(life: Life) -> None:
    submit(life, "leader")
    submit(life, "follower")


def a_generation_that_fails(life: Life) -> None:
    life.server.fault(life.part.fails, times=1)
    submit(life, "job", max_charges=1)


def a_generation_that_fails_and_another(life: Life) -> None:
    life.server.fault(life.part.fails, times=1)
    submit(life, "job", max_charges=3)


def a_generation_canceled_meanwhile(life: Life) -> None:
    job = submit(life, "job")
    with life.undisturbed():
        life.deliver()
    life.cancel(job)


def a_generation_that_takes_too_long(life: Life) -> None:
    life.part.dawdle()
    submit(life, "job", deadline_seconds=120)


def a_generation_that_says_when_it_is_done(life: Life) -> None:
    submit(life, "job")
    life.deliver()
    life.hear_back()


def submit(life: Life, name: str, **wishes: Any) -> str:
    """The submission is struck in the lives of other files: it is over before anybody knows who will be asked."""
    with life.undisturbed():
        return life.submit(name, {**life.part.request, **wishes})


def lives_of(provider: Provider) -> list[Scenario]:
    """Every life in which one provider may differ from another."""
    failed, canceled = {"job": "failed"}, {"job": "canceled"}
    # a lost answer takes the one charge that is allowed, and then there is no other generation
    unlucky = {"job": "succeeded | failed"} if provider.free else failed
    lives = [
        Scenario(live=a_referred_job_with_everything, ends={"job": "succeeded"}, settings=everything(provider.server)),
        # what a failed or canceled generation costs, a provider need not say: that one stays unknown
        Scenario(live=a_generation_that_fails, ends=unlucky, forgotten=1, settings=ALONE),
        Scenario(live=a_generation_canceled_meanwhile, ends=canceled, forgotten=provider.cancels, settings=ALONE),
        Scenario(live=a_generation_that_takes_too_long, ends=failed, forgotten=1, settings=ALONE),
    ]
    told = Scenario(live=a_generation_that_says_when_it_is_done, ends={"job": "succeeded"}, settings=ALONE)
    return [*lives, told] if provider.tells else lives


def lives_of_any() -> list[Scenario]:
    """Those in which none differs from another: what is asked of it is what the lives above ask, or less."""
    return [
        Scenario(live=a_referred_job, ends={"job": "succeeded"}, settings=ALONE),
        Scenario(live=a_referred_leader_and_its_follower, ends={"leader": "succeeded", "follower": "succeeded"}),
        Scenario(live=a_generation_that_fails_and_another, ends={"job": "succeeded"}, forgotten=1, settings=ALONE),
    ]
