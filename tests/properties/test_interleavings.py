"""Two processes at one job: one stops before each of its calls in turn while the other runs to its end."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from local.stand_ins.model import ModelServer
from tests.harness.providers import model_server_provider
from tests.kill import audit
from tests.properties import guarantees
from tests.properties.windows import overfull_windows
from tests.properties.world import World

SETTINGS = {
    "limits": {"*": {"windows": [[2, 20]]}},
    "start_tolerance": 0,
    "owner_caps": {"usd": 1},
    "default_deadline": 300,
}
MANY = 20  # calls; more than either process makes


class TwoProcesses:
    """A deployment with one job, and a second job with another prompt that starts at the same time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.job, self.other = (self._submit(prompt) for prompt in ("sea", "wood"))
        self.messages = {message["Body"].split('"')[5]: message["Body"] for message in world.product.messages()}

    def deliver(self) -> None:
        """Deliver the message of the first job once."""
        self.world.deliver_message(self.messages[self.job])

    def deliver_other(self) -> None:
        """Deliver the message of the second job."""
        self.world.deliver_message(self.messages[self.other])

    def cancel(self) -> None:
        """The caller cancels the first job."""
        self.world.ask(lambda product: product.post(f"/jobs/{self.job}/cancel"))

    def cancel_and_delete(self) -> None:
        """The caller cancels the first job and deletes it at once."""
        self.cancel()
        self.world.ask(lambda product: product.delete(f"/jobs/{self.job}"))

    def overdue(self) -> None:
        """The deadline of the first job passes, and the sweeper runs."""
        self.world.clock.shift(301)
        self.world.sweep()

    def late(self) -> None:
        """The lease of the first job's worker expires, and its message is delivered again."""
        self.world.clock.shift(90)
        self.deliver()

    def _submit(self, prompt: str) -> str:
        return str(self.world.product.submit({"prompt": prompt, "max_charges": 2})["id"])


CASES: dict[str, tuple[Callable[[TwoProcesses], None], Callable[[TwoProcesses], None], str]] = {
    "a cancel, around a delivery that fails": (TwoProcesses.cancel, TwoProcesses.deliver, "server_error"),
    "a delivery, around a cancel": (TwoProcesses.deliver, TwoProcesses.cancel, ""),
    "a delivery, around a cancel and a deletion": (TwoProcesses.deliver, TwoProcesses.cancel_and_delete, ""),
    "a delivery, around another": (TwoProcesses.deliver, TwoProcesses.deliver, ""),
    "a delivery that fails, around one that supersedes it": (TwoProcesses.deliver, TwoProcesses.late, "server_error"),
    "a sweep past the deadline, around a delivery that is refused": (
        TwoProcesses.overdue,
        TwoProcesses.deliver,
        "throttled",
    ),
    "a delivery that fails, around a sweep past the deadline": (
        TwoProcesses.deliver,
        TwoProcesses.overdue,
        "server_error",
    ),
    "a delivery that fails, around a refused one of another job": (
        TwoProcesses.deliver,
        TwoProcesses.deliver_other,
        "unauthorized",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_two_processes_at_one_job(model_server: ModelServer, haste: None, case: str) -> None:
    """All guarantees hold at every interruption, and after all jobs have ended."""
    *_, fault = CASES[case]
    found: list[str] = []
    for calls in itertools.count(1):
        world = World(model_server_provider(model_server), **SETTINGS)
        try:
            model_server.fault("throttled", prompt="wood", retry_after=5, times=1)
            if fault:
                model_server.fault(fault, prompt="sea", times=1)
            was_over = _interrupt(world, case, calls)
            found += [
                f"before call {calls}: {text}" for text in [*_broken(world, case), *_broken_at_the_end(world, case)]
            ]
        finally:
            world.close()
        if was_over:
            break
    assert found == []


def _interrupt(world: World, case: str, calls: int) -> bool:
    """Whether the first was over before the second cut in."""
    one, two, _ = CASES[case]
    pair = TwoProcesses(world)
    ended: list[bool] = []
    was_over: list[bool] = []

    def first() -> None:
        one(pair)
        ended.append(True)

    def second() -> None:
        was_over.append(bool(ended))
        two(pair)

    world.injector.race([first, second], [0] * calls + [1] * MANY, between=lambda _turn: None)
    return was_over[0]


def _broken_at_the_end(world: World, case: str) -> list[Any]:
    world.ask(lambda product: product.post("/generate", {"prompt": "rain"}))
    steps = itertools.chain([0, 5, 5, 11], itertools.repeat(61, 8))
    while any("open" in item for item in world.items()):
        world.clock.shift(next(steps))
        world.deliver_once()
        world.sweep()
    state = world.state()
    return [*_broken(world, case), *(text for check in FINAL_CHECKS for text in check(state))]


def _broken(world: World, case: str) -> list[Any]:
    stalls = (
        CASES[case][1] is TwoProcesses.late
    )  # the worker stalls between reading the clock and calling; no limiter can prevent that
    windows = [run for limit in world.settings.limits.values() for run in overfull_windows(world.accepted(), limit)]
    unmet = guarantees.broken(world.items(), world.settings, generations=world.server.generations)
    return unmet if stalls else [*unmet, *windows]


# `_broken` checks budgets and windows.
FINAL_CHECKS = [
    check for check in audit.CHECKS if check.__name__ not in ("_budgets_are_settled", "_no_window_was_exceeded")
]
