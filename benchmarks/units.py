"""One job, one poll and one hour of waiting in AWS's own units, counted on the real entry points."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import time_machine
import wiring
from moto import mock_aws

from benchmarks.calls import LOOPBACK_IS_REAL
from benchmarks.tables import show
from local.stand_ins.model import ModelServer
from local.stand_ins.replicate import ReplicateServer
from tests.harness.aws import ACCOUNT, TABLE, make_account
from tests.harness.product import Product
from tests.harness.units import Units, counted_units

TRACK = {"prompt": "a slow waltz", "duration": 2, "model": "musicgen-large"}
BEGIN = 1_800_000_000.0  # epoch seconds
HOUR, MINUTE, DAY = 3_600, 60, 86_400
MANY = 20  # jobs that wait in an hour
POLLS = 5  # by a caller
ENDLESS = 10_000  # polls of a provider that never ends
HEADS = ("", "AWS calls", "write units", "of them index", "read units", "KB stored", "messages", "invocations")


@dataclass(kw_only=True)
class Scene:
    """A deployment whose calls are counted, the servers it calls, and the clock."""

    product: Product
    units: Units
    clock: time_machine.Traveller
    invocations: int = 0

    def deliver_all(self) -> None:
        """Delivers until no message is due."""
        while delivered := self.product.deliver():
            self.invocations += delivered

    def submit(self, prompt: str) -> str:
        """The id of a new job that may wait a day."""
        self.invocations += 1
        return str(self.product.submit({**TRACK, "prompt": prompt, "deadline_seconds": DAY})["id"])

    def status(self, job: str) -> str:
        """The job's status, by a read that is not counted."""
        found = self.product.aws.dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": f"job#{job}"}})
        return str(found["Item"]["status"]["S"])

    def pass_an_hour(self, *, deliver: bool = True) -> None:
        """An hour of the sweeper, each minute; messages come in the second in which they are due."""
        for second in range(HOUR):
            self.clock.shift(1)
            if second % MINUTE == MINUTE - 1:
                self.product.sweep()
                self.invocations += 1
            if deliver and second % 5 == 0:
                self.deliver_all()

    def clear(self) -> None:
        """Counts from here."""
        self.units.clear()
        self.invocations = 0


Play = Callable[[Scene], object]
Figures = tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A play, and the part that does not count; `polls` of the provider, or None for one that holds its answer."""

    play: Play
    without: Play | None = None
    of: int = 1
    settings: Mapping[str, Any] = field(default_factory=dict)
    polls: int | None = None


def main() -> None:
    """Print the table."""
    rows = [(name, *(f"{figure:.1f}" for figure in figures_of(case))) for name, case in CASES.items()]
    show("AWS's units, each for one", HEADS, rows, *NOTES)


def figures_of(case: Case) -> Figures:
    """The figures of one job, poll or hour, in the order of the heads."""
    played, less = _figures(*counted(case)), _figures(*counted(case, case.without)) if case.without else None
    return tuple((figure - (less[n] if less else 0)) / case.of for n, figure in enumerate(played))


def counted(case: Case, play: Play | None = None) -> tuple[Units, int]:
    """The units and the invocations of the case, or of what does not count in it."""
    with _scene(case) as scene:
        if case.polls != ENDLESS:
            _job(scene)  # warms the containers
        scene.clear()
        (play or case.play)(scene)
        return scene.units, scene.invocations


@contextmanager
def _scene(case: Case) -> Iterator[Scene]:
    os.environ.update(ACCOUNT)
    with _servers(case) as servers, _stopped() as clock, mock_aws(config=LOOPBACK_IS_REAL):
        aws = make_account(servers=servers, **{"cache": "off", "horizon": None, **case.settings})
        os.environ.update(aws.environment)
        with counted_units(aws.dynamodb, TABLE) as units:
            wiring.dependencies.cache_clear()
            yield Scene(product=Product(aws), units=units, clock=clock)
    wiring.dependencies.cache_clear()


@contextmanager
def _servers(case: Case) -> Iterator[dict[str, str]]:
    if case.polls is None:
        with ModelServer(quick=True) as model:
            yield {"*": f"{model.url}/models/{{model}}"}
    else:
        with ReplicateServer(quick=True, polls=case.polls) as replicate:
            yield {"replicate": replicate.url}


@contextmanager
def _stopped() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(BEGIN, tick=False) as clock, patch.object(time, "sleep", clock.shift):
        yield clock


def _job(scene: Scene) -> None:
    """A job from its submission to its end, without the caller's polls."""
    job = scene.submit("a slow waltz")
    while scene.status(job) in ("queued", "running"):
        scene.deliver_all()
        scene.clock.shift(1)
    assert scene.status(job) == "succeeded"


def _again(scene: Scene) -> None:
    """A job whose result is in the cache."""
    scene.product.post("/generate", {**TRACK, "prompt": "a slow waltz"})
    scene.invocations += 1


def _polls(scene: Scene) -> None:
    """A caller polls a job that waits, every six seconds."""
    job = scene.submit("another")
    scene.clear()
    for _ in range(POLLS):
        scene.product.get(f"/jobs/{job}")
        scene.clock.shift(6)
        scene.invocations += 1


def _list(scene: Scene) -> None:
    """A page of twenty jobs."""
    for n in range(MANY):
        scene.submit(str(n))
    scene.clear()
    scene.product.get(f"/jobs?limit={MANY}")
    scene.invocations += 1


def _idle(scene: Scene) -> None:
    """An hour without a job."""
    scene.pass_an_hour()


def _hour(prompt: str = "{}", **how: Any) -> Case:
    """An hour in which many jobs wait behind a first one; their prompts are equal or numbered."""
    deliver = how.pop("deliver", True)

    def play(jobs: int) -> Play:
        return lambda scene: _wait(scene, [prompt.format(n) for n in range(jobs + 1)], deliver=deliver)

    return Case(play=play(MANY), without=play(0), of=MANY, **how)


def _wait(scene: Scene, prompts: Sequence[str], *, deliver: bool) -> None:
    for prompt in prompts:
        scene.submit(prompt)
        if deliver:
            scene.deliver_all()
    scene.clear()
    scene.pass_an_hour(deliver=deliver)


ONE_AN_HOUR = {"limits": {"*": {"windows": [[1, HOUR + 300]]}}}
ONE_AT_ONCE = {"limits": {"replicate": {"max_concurrent": 1}}}
CAPS = {"deployment_caps": {"usd": 1_000}, "owner_caps": {"usd": 100}}

CASES: Mapping[str, Case] = {
    "a job, connection held": Case(play=_job),
    "a job, provider polled five times": Case(play=_job, polls=5),
    "a job, paced": Case(play=_job, settings={"limits": {"*": {"windows": [[100, 60]]}}}),
    "a job, with caps": Case(play=_job, settings=CAPS),
    "a job, from the cache": Case(play=_again, settings={"cache": "owner"}),
    "a caller's poll": Case(play=_polls, of=POLLS),
    "a caller's poll of a paced job": Case(play=_polls, of=POLLS, settings=ONE_AN_HOUR),
    "a list of twenty jobs": Case(play=_list),
    "an hour of the sweeper alone": Case(play=_idle),
    "an hour behind busy workers": _hour(deliver=False),
    "an hour in a provider's quota": _hour(settings=ONE_AN_HOUR),
    "an hour after an equal request": _hour("one", settings={**ONE_AN_HOUR, "cache": "owner"}),
    "an hour for room among calls": _hour(settings=ONE_AT_ONCE, polls=ENDLESS),
}
NOTES = (
    "Write units of indexes and of transactions are included. An hour is that of one of twenty jobs that wait, without",
    "the sweeper's own hour. Lambda's own receives and deletes of messages are not ours, and not in the calls.",
)


def _figures(units: Units, invocations: int) -> Figures:
    index, stored, messages = units.index.total(), units.stored / 1024, units.requests["SendMessage"]
    return (units.requests.total(), units.written.total() + index, index, units.read, stored, messages, invocations)


if __name__ == "__main__":
    main()
