"""Runs several processes at the same time, one network call at a time, in a chosen order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from tests.kill.injector import Fault, FaultInjector, FaultPoint

Reply = TypeVar("Reply")


class RacingInjector(FaultInjector):
    """An injector at which processes wait for their turn before each call."""

    def __init__(self) -> None:
        super().__init__(None)
        self._scheduler: greenlet | None = None

    @property
    def is_baseline(self) -> bool:
        """Always false: faults are chosen while the machine runs."""
        return False

    def inject_at(self, fault: Fault, *, calls_ahead: int) -> None:
        """Inject a fault at a later call."""
        self._point = FaultPoint(len(self.calls) + calls_ahead, fault)

    def pass_on(self, operation: str, send: Callable[[], Reply], *, lost: Exception, **_unused: object) -> Reply:
        """Send a call when it is this process's turn."""
        if self._scheduler is not None and getcurrent() is not self._scheduler:
            running_here = self._running
            self._scheduler.switch()
            self._running = running_here
        return super().pass_on(operation, send, lost=lost)

    def race(
        self, runners: list[Callable[[], object]], turns: Iterable[int], *, between: Callable[[int], None]
    ) -> None:
        """Run all runners to their ends; a turn is the index of the runner that makes the next call.

        Any other turn calls `between`.
        """
        running = [greenlet(runner) for runner in runners]
        self._scheduler = getcurrent()
        try:
            for turn in turns:
                if turn < len(running):
                    self._go_on(running[turn])
                else:
                    between(turn)
            for runner in running:
                while not runner.dead:
                    self._go_on(runner)
        finally:
            self._scheduler = None
            self._running = []

    def _go_on(self, runner: greenlet) -> None:
        if not runner.dead:
            self._running = []
            runner.switch()
