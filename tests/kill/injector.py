"""Records every call that leaves a simulated process, and injects a fault at one of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NoReturn, TypeVar

Reply = TypeVar("Reply")

SLOW_SECONDS, BURST_SECONDS = 20.0, 20.0
PROVIDER_PREFIX = "provider's"  # prefix of the AWS operations that ask a provider something


class Fault(StrEnum):
    """A fault at one call. After a lost reply the process goes on: it sees a broken connection."""

    KILL_BEFORE = "killed before the call"
    KILL_AFTER = "killed after the call"
    REPLY_LOST = "the reply is lost"


@dataclass(frozen=True)
class Call:
    """One call that left a process: the number of the invocation, its function, and the operation.

    `situation` describes the state that the process found when it began.
    """

    process: int
    function: str
    operation: str
    situation: str = field(default="", compare=False)

    @property
    def reads(self) -> bool:
        """Whether the call changes nothing at AWS. A provider's GET may change something there."""
        return self.operation.rpartition(" ")[2].startswith(("Get", "Head", "List", "Query"))

    @property
    def of_aws(self) -> bool:
        """Whether the AWS SDK makes the call. The SDK repeats a call whose reply was lost."""
        return not self.operation.startswith("provider ")

    @property
    def of_provider(self) -> bool:
        """Whether the call asks the provider something, directly or through AWS."""
        return not self.of_aws or self.operation.startswith(PROVIDER_PREFIX)

    def __str__(self) -> str:
        return f"{self.function}: {self.operation}"


@dataclass(frozen=True)
class FaultPoint:
    """The n-th call of a run, counted from 1, and the fault that is injected there."""

    call: int
    fault: Fault | AwsAnswer


class AwsAnswer(StrEnum):
    """An answer of AWS that is not the one Longplay hopes for."""

    THROTTLED = "throttled"
    SERVER_ERROR = "a server error"
    DENIED = "access denied"
    CONFLICT = "a conflict"
    CANCELED_BY_CONFLICT = "canceled: conflict"
    CANCELED_BY_THROTTLING = "canceled: throttled"
    CANCELED_BY_CAPACITY = "canceled: capacity"
    SLOW = "after 20 s"
    BURST = "throttled for a minute"


class Killed(BaseException):
    """The process has died. The product never catches this, and no later call of the process gets out."""


@dataclass
class Process:
    """One invocation of a function; `unrecorded` counts billed answers that it has received and not yet stored."""

    number: int
    function: str
    situation: str = ""
    dead: bool = False
    unrecorded: int = 0


class FaultInjector:
    """Lets calls through and injects a fault at `point`.

    `answers_lost` counts billed calls whose answer no living process could store; no ledger can know about them.
    Calls outside `process` are the test's own: they are neither recorded nor disturbed.
    """

    def __init__(self, point: FaultPoint | None) -> None:
        self.calls: list[Call] = []
        self.answers_lost = 0
        self._point = point
        self._next_fault: tuple[str, Fault] | None = None
        self._burst: tuple[str, float] | None = None
        self._is_recording = True
        self._invocations = 0
        self._running: list[Process] = []

    @property
    def is_baseline(self) -> bool:
        """Whether this run has no fault point: it only finds the calls that a scenario makes."""
        return self._point is None

    @contextmanager
    def process(self, function: str, situation: Callable[[], str]) -> Iterator[None]:
        """Calls in this block belong to a new invocation of the function. Blocks can be nested."""
        self._invocations += 1
        self._running.append(Process(self._invocations, function, situation() if self.is_baseline else ""))
        try:
            yield
        finally:
            self._running.pop()

    @contextmanager
    def outside(self) -> Iterator[None]:
        """Calls in this block belong to no process, although a process is in the middle of a call."""
        waiting, self._running = self._running, []
        try:
            yield
        finally:
            self._running = waiting

    @contextmanager
    def without_faults(self) -> Iterator[None]:
        """Calls in this block are not recorded. Only `inject_next` can disturb them."""
        self._is_recording = False
        try:
            yield
        finally:
            self._is_recording = True

    def inject_next(self, operation: str, fault: Fault) -> None:
        """Inject a fault at the next call of this operation, in addition to the fault point."""
        self._next_fault = (operation, fault)

    def pass_on(
        self,
        operation: str,
        send: Callable[[], Reply],
        *,
        lost: Exception,
        answer: Callable[[AwsAnswer], Reply] | None = None,
    ) -> Reply:
        """Send a call, with its fault if it has one. The caller sees `lost` if the reply is lost.

        `answer` makes the reply of AWS for an AwsAnswer.
        """
        if not self._running:
            return send()
        fault = self._fault(operation)
        if answer is not None and (said := self._said(operation, fault)):
            return self._answered(said, send, answer)
        if fault is Fault.KILL_BEFORE:
            self._kill()
        reply = send()
        if fault is Fault.KILL_AFTER:
            self._kill()
        if fault is Fault.REPLY_LOST:
            raise lost
        return reply

    def _said(self, operation: str, fault: Fault | AwsAnswer | None) -> AwsAnswer | None:
        """The answer of AWS to this call: that of its fault, or of a burst at the same operation."""
        if fault is AwsAnswer.BURST:
            self._burst = operation, time.time() + BURST_SECONDS
        if self._burst and self._burst[0] == operation and time.time() < self._burst[1]:
            return AwsAnswer.THROTTLED
        return fault if isinstance(fault, AwsAnswer) else None

    def _answered(self, said: AwsAnswer, send: Callable[[], Reply], answer: Callable[[AwsAnswer], Reply]) -> Reply:
        if said is AwsAnswer.SLOW:
            time.sleep(SLOW_SECONDS)  # moves the simulated clock
            return send()
        return answer(said)

    def billed(self, count: int) -> None:
        """Note that the current call has been billed for this many generations."""
        if self._running:
            self._running[-1].unrecorded += count

    def recorded(self) -> None:
        """Note that the billed answers are stored where a later process can find them."""
        if self._running:
            self._running[-1].unrecorded = 0

    def lose_answers(self) -> None:
        """Note that the billed answers which are not stored are lost."""
        if self._running:
            self.answers_lost += self._running[-1].unrecorded
            self.recorded()

    def answer_recovered(self) -> None:
        """Note that a callback has brought an answer that was lost."""
        self.answers_lost = max(0, self.answers_lost - 1)

    def _fault(self, operation: str) -> Fault | AwsAnswer | None:
        process = self._running[-1]
        if process.dead:
            raise Killed
        if self._next_fault and self._next_fault[0] == operation:
            fault, self._next_fault = self._next_fault[1], None
            return fault
        if not self._is_recording:
            return None
        self.calls.append(Call(process.number, process.function, operation, process.situation))
        return self._point.fault if self._point and self._point.call == len(self.calls) else None

    def _kill(self) -> NoReturn:
        self._running[-1].dead = True
        self.lose_answers()
        raise Killed
