"""Several of our processes at once, one outside call at a time, in an order that is chosen beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from tests.kill.edge import Edge, Moment, Point

Reply = TypeVar("Reply")


class RacingEdge(Edge):
    """An edge at which processes wait for their turn before each call they make."""

    def __init__(self) -> None:
        super().__init__(None)
        self._conductor: greenlet | None = None

    @property
    def rehearsing(self) -> bool:
        """Never: what comes to pass here is struck as it comes."""
        return False

    def strike(self, moment: Moment, *, calls_ahead: int) -> None:
        """Strike a call that is yet to come."""
        self._point = Point(len(self.calls) + calls_ahead, moment)

    def pass_on(self, operation: str, send: Callable[[], Reply], *, lost: Exception) -> Reply:
        """As any edge does, but in this process's turn."""
        if self._conductor is not None and getcurrent() is not self._conductor:
            mine = self._running
            self._conductor.switch()
            self._running = mine
        return super().pass_on(operation, send, lost=lost)

    def race(
        self, runners: list[Callable[[], object]], turns: Iterable[int], *, between: Callable[[int], None]
    ) -> None:
        """Run all to their ends; a turn names who makes the next call, or what happens in `between`."""
        running = [greenlet(runner) for runner in runners]
        self._conductor = getcurrent()
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
            self._conductor = None
            self._running = []

    def _go_on(self, runner: greenlet) -> None:
        if not runner.dead:
            self._running = []
            runner.switch()
