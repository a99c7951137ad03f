"""Two processes at one job: one is stopped before each of its calls in turn while the other does all it does."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from local.stand_ins.model import ModelServer
from tests.kill import audit
from tests.kill.parts import holding_the_line
from tests.properties import promises
from tests.properties.windows import crowded
from tests.properties.world import World

SETTINGS = {
    "limits": {"*": {"windows": [[2, 20]]}},
    "start_tolerance": 0,
    "owner_caps": {"usd": 1},
    "default_deadline": 300,
}
MANY = 20  # calls; neither of the two makes as many


class Duel:
    """A deployment with one job, and a second of another prompt that starts at the same time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.job, self.other = (self._submit(prompt) for prompt in ("sea", "wood"))
        self.messages = {message["Body"].split('"')[5]: message["Body"] for message in world.product.messages()}

    def deliver(self) -> None:
        """Its message, once."""
        self.world.hand_over(self.messages[self.job])

    def deliver_other(self) -> None:
        """The message of the second job, and then a third one is submitted and starts when it may."""
        self.world.hand_over(self.messages[self.other])

    def cancel(self) -> None:
        """By its caller."""
        self.world.ask(lambda product: product.post(f"/jobs/{self.job}/cancel"))

    def cancel_and_delete(self) -> None:
        """Canceled, and at once deleted."""
        self.cancel()
        self.world.ask(lambda product: product.delete(f"/jobs/{self.job}"))

    def overdue(self) -> None:
        """Its deadline passes, and the sweeper comes by."""
        self.world.clock.shift(301)
        self.world.sweep()

    def late(self) -> None:
        """The lease of whoever is at it runs out, and the message comes again."""
        self.world.clock.shift(90)
        self.deliver()

    def _submit(self, prompt: str) -> str:
        return str(self.world.product.submit({"prompt": prompt, "max_charges": 2})["id"])


CASES: dict[str, tuple[Callable[[Duel], None], Callable[[Duel], None], str]] = {
    "a cancel, around a delivery that fails": (Duel.cancel, Duel.deliver, "server_error"),
    "a delivery, around a cancel": (Duel.deliver, Duel.cancel, ""),
    "a delivery, around a cancel and a deletion": (Duel.deliver, Duel.cancel_and_delete, ""),
    "a delivery, around another": (Duel.deliver, Duel.deliver, ""),
    "a delivery that fails, around one that supersedes it": (Duel.deliver, Duel.late, "server_error"),
    "a sweep past the deadline, around a delivery that is refused": (Duel.overdue, Duel.deliver, "throttled"),
    "a delivery that fails, around a sweep past the deadline": (Duel.deliver, Duel.overdue, "server_error"),
    "a delivery that fails, around a refused one of another job": (Duel.deliver, Duel.deliver_other, "unauthorized"),
}


@pytest.mark.parametrize("case", CASES)
def test_two_processes_at_one_job(model_server: ModelServer, haste: None, case: str) -> None:
    """Wherever the second cuts in, all promises hold at once and when all is quiet."""
    *_, fault = CASES[case]
    found: list[str] = []
    for calls in itertools.count(1):
        world = World(holding_the_line(model_server), **SETTINGS)
        try:
            model_server.fault("throttled", prompt="wood", retry_after=5, times=1)
            if fault:
                model_server.fault(fault, prompt="sea", times=1)
            was_over = _play(world, case, calls)
            found += [f"before call {calls}: {text}" for text in [*_broken(world, case), *_quiet(world, case)]]
        finally:
            world.close()
        if was_over:
            break
    assert found == []


def _play(world: World, case: str, calls: int) -> bool:
    """Whether the first was over before the second cut in."""
    one, two, _ = CASES[case]
    duel, over, was_over = Duel(world), [], []

    def first() -> None:
        one(duel)
        over.append(True)

    def second() -> None:
        was_over.append(bool(over))
        two(duel)

    world.edge.race([first, second], [0] * calls + [1] * MANY, between=lambda _turn: None)
    return was_over[0]


def _quiet(world: World, case: str) -> list[Any]:
    world.ask(lambda product: product.post("/generate", {"prompt": "rain"}))
    steps = itertools.chain([0, 5, 5, 11], itertools.repeat(61, 8))
    while any("open" in item for item in world.items()):
        world.clock.shift(next(steps))
        world.deliver_once()
        world.sweep()
    remains = world.remains()
    return [*_broken(world, case), *(text for check in AT_REST for text in check(remains))]


def _broken(world: World, case: str) -> list[Any]:
    stalls = CASES[case][1] is Duel.late  # between its look at the clock and its call; no limiter can help that
    windows = [run for limit in world.settings.limits.values() for run in crowded(world.accepted(), limit)]
    promised = promises.broken(world.items(), world.settings, generations=world.server.generations)
    return promised if stalls else [*promised, *windows]


# Budgets and windows are held to their promises in `_broken`.
AT_REST = [check for check in audit.CHECKS if check.__name__ not in ("_budgets_are_settled", "_no_window_was_exceeded")]
