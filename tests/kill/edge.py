"""The edge of our processes: every call that leaves one is recorded here, and may be the last it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NoReturn, TypeVar

Reply = TypeVar("Reply")

AT_THE_PROVIDER = "provider's"  # how an operation at AWS begins by which a provider is asked


class Moment(StrEnum):
    """When a call is struck. At the last one the process lives on: it sees a broken connection."""

    BEFORE = "killed before it"
    AFTER = "killed after it"
    REPLY_LOST = "its reply lost"


@dataclass(frozen=True)
class Call:
    """One call that left a process: the how-manieth invocation, of which function, and what was asked of whom.

    `situation` is what that process found when it began.
    """

    process: int
    function: str
    operation: str
    situation: str = field(default="", compare=False)

    @property
    def reads(self) -> bool:
        """Whether it changes nothing at AWS. What a provider makes of a GET is its own affair."""
        return self.operation.rpartition(" ")[2].startswith(("Get", "Head", "List", "Query"))

    @property
    def of_aws(self) -> bool:
        """Whether the SDK makes it, and repeats it after a lost reply."""
        return not self.operation.startswith("provider ")

    @property
    def of_provider(self) -> bool:
        """Whether it asks the provider something, which may be by way of AWS."""
        return not self.of_aws or self.operation.startswith(AT_THE_PROVIDER)

    def __str__(self) -> str:
        return f"{self.function}: {self.operation}"


@dataclass(frozen=True)
class Point:
    """The n-th call of a life, counted from 1, and when it is struck."""

    call: int
    moment: Moment


class Killed(BaseException):
    """The process is gone. Nothing of ours catches this, and no call of a `finally` on the way up gets out."""


@dataclass
class Process:
    """One invocation of a function; `unrecorded` counts billed answers it has heard and not yet written down."""

    number: int
    function: str
    situation: str = ""
    dead: bool = False
    unrecorded: int = 0


class Edge:
    """Lets calls through and strikes the one at `point`.

    `answers_lost` counts what no ledger can know: calls that were billed while their answer reached nobody who could
    write it down. Outside `process` nothing is recorded or struck: those are the test's own calls.
    """

    def __init__(self, point: Point | None) -> None:
        self.calls: list[Call] = []
        self.answers_lost = 0
        self._point = point
        self._ambush: tuple[str, Moment] | None = None
        self._recording = True
        self._invocations = 0
        self._running: list[Process] = []

    @property
    def rehearsing(self) -> bool:
        """Whether nothing will be struck: the life is lived to see what it is made of."""
        return self._point is None

    @contextmanager
    def process(self, function: str, situation: Callable[[], str]) -> Iterator[None]:
        """Calls made within belong to a new invocation of this function; it may run inside another's call."""
        self._invocations += 1
        self._running.append(Process(self._invocations, function, situation() if self.rehearsing else ""))
        try:
            yield
        finally:
            self._running.pop()

    @contextmanager
    def outside(self) -> Iterator[None]:
        """What happens within is no process's doing: the world goes on while a call is under way."""
        waiting, self._running = self._running, []
        try:
            yield
        finally:
            self._running = waiting

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Calls made within are neither recorded nor struck, except by an ambush."""
        self._recording = False
        try:
            yield
        finally:
            self._recording = True

    def ambush(self, operation: str, moment: Moment) -> None:
        """Strike the next call of this operation, besides the point."""
        self._ambush = (operation, moment)

    def pass_on(self, operation: str, send: Callable[[], Reply], *, lost: Exception) -> Reply:
        """Let a call through, or not; `lost` is how its caller sees that the reply got lost."""
        if not self._running:
            return send()
        moment = self._moment(operation)
        if moment is Moment.BEFORE:
            self._kill()
        reply = send()
        if moment is Moment.AFTER:
            self._kill()
        if moment is Moment.REPLY_LOST:
            raise lost
        return reply

    def billed(self, count: int) -> None:
        """The call under way has cost so many generations."""
        if self._running:
            self._running[-1].unrecorded += count

    def recorded(self) -> None:
        """What was billed has come to where it can be found again."""
        if self._running:
            self._running[-1].unrecorded = 0

    def lose(self) -> None:
        """What was billed and not recorded will never be known."""
        if self._running:
            self.answers_lost += self._running[-1].unrecorded
            self.recorded()

    def found(self) -> None:
        """A callback has told what a worker had heard and lost."""
        self.answers_lost = max(0, self.answers_lost - 1)

    def _moment(self, operation: str) -> Moment | None:
        process = self._running[-1]
        if process.dead:
            raise Killed
        if self._ambush and self._ambush[0] == operation:
            moment, self._ambush = self._ambush[1], None
            return moment
        if not self._recording:
            return None
        self.calls.append(Call(process.number, process.function, operation, process.situation))
        return self._point.moment if self._point and self._point.call == len(self.calls) else None

    def _kill(self) -> NoReturn:
        self._running[-1].dead = True
        self.lose()
        raise Killed
