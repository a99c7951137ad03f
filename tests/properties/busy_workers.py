"""A burst of jobs in simulated time, with few workers or seats, calls that take a while, and messages that are late."""

from __future__ import annotations

import heapq
import math
import random
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, cast

from longplay.domain.pacing import Limit
from longplay.domain.schedule import EARLY, LONGEST_WAIT
from longplay.domain.settings import Settings
from longplay.storage.limiter import LINE, Limiter
from longplay.storage.table import Table, WriteRefused

from benchmarks.burst import BEGIN, SimulatedProvider
from benchmarks.lines import ACCOUNT, LineInMemory

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MANY = 1_000  # workers, where their number does not matter


@dataclass(kw_only=True)
class Burst:
    """Jobs submitted at once. `seconds` is the duration of a call, `late` the longest delay of a message."""

    limit: Limit
    jobs: int
    seconds: float
    workers: int = MANY
    late: float = 0.0
    tolerance: float = Settings().start_tolerance
    ends: list[float] = field(default_factory=list)
    refused: int = 0
    deliveries: int = 0

    def run(self) -> Burst:
        """Deliver the messages until every job has been called."""
        table = Table(cast("DynamoDBClient", LineInMemory()), "jobs")
        self._limiter = Limiter(table, {ACCOUNT: self.limit}, tolerance=self.tolerance)
        self._provider = SimulatedProvider(windows=self.limit.windows)
        self._late, self._turn = random.Random(1), count()  # noqa: S311 - guards nothing
        self._queue: list[tuple[float, int, int]] = []
        self._calls: list[tuple[float, int]] = []
        self._slots = {job: self._reserved(table) for job in range(self.jobs)}
        self._starts: dict[int, float] = {}  # of the jobs that have not been called
        for job, slot in self._slots.items():
            self._send(job, at=BEGIN, start=slot)
        self._deliver_all()
        return self

    def _deliver_all(self) -> None:
        free = [BEGIN] * self.workers
        while self._queue:
            self._end_calls(free)
            due, _, job = heapq.heappop(self._queue)
            if due >= self._starts.get(job, math.inf) - LONGEST_WAIT:  # else another message has come before
                heapq.heappush(free, self._deliver(job, max(due, heapq.heappop(free))))

    @property
    def makespan(self) -> float:
        """Seconds from the submission to the end of the last call."""
        return max(self.ends) - BEGIN

    @property
    def most_at_once(self) -> int:
        """How many calls were under way at once."""
        begins = [end - self.seconds for end in self.ends]
        return max(sum(begin <= moment < begin + self.seconds for begin in begins) for moment in begins)

    @property
    def ideal(self) -> float:
        """The makespan if each call starts the moment that the provider and a free worker and seat allow."""
        provider = SimulatedProvider(windows=self.limit.windows)
        free = [BEGIN] * min(self.workers, self.limit.max_concurrent or MANY)
        for _ in range(self.jobs):
            start = provider.earliest(heapq.heappop(free))
            provider.call(start)
            heapq.heappush(free, start + self.seconds)
        return max(free) - BEGIN

    def _reserved(self, table: Table) -> float:
        while True:
            reservation = self._limiter.reserve(ACCOUNT, now=BEGIN)
            try:
                table.write(reservation.part)
            except WriteRefused as refused:
                self._limiter.learn(ACCOUNT, refused.items[LINE])
            else:
                self._limiter.took(reservation)
                return reservation.slot

    def _deliver(self, job: int, now: float) -> float:
        """When the worker is free again."""
        self.deliveries += 1
        self._slots[job], start = self._limiter.start(ACCOUNT, self._slots[job], now=now)
        if now < start <= now + LONGEST_WAIT:  # the worker waits, and looks again
            now = start
            self._slots[job], start = self._limiter.start(ACCOUNT, self._slots[job], now=now)
        if start > now:
            self._send(job, at=now, start=start)
            return now
        ends = now + self.seconds
        if not self._limiter.call_begins(ACCOUNT, str(job), now=now, until=ends):
            again = self._limiter.looks_for_room_in(ACCOUNT, str(job), typical=self.seconds)
            self._send(job, at=now, start=now + again, early=0)
            return now
        self.refused += self._provider.call(now) > 0
        del self._starts[job]
        heapq.heappush(self._calls, (ends, job))
        self.ends.append(ends)
        return ends

    def _end_calls(self, free: list[float]) -> None:
        """Each call that ends before the next delivery gives its seat to a job that waits, which is delivered."""
        while self._calls and self._calls[0][0] <= max(self._queue[0][0], free[0]):
            ended, job = heapq.heappop(self._calls)
            for told in self._limiter.call_ends(ACCOUNT, str(job), now=ended):
                self._send(int(told), at=ended, start=ended, early=0)

    def _send(self, job: int, *, at: float, start: float, early: float = EARLY) -> None:
        self._starts[job] = start
        delay = max(0, math.floor(start - at - early)) + self._late.uniform(0, self.late)
        heapq.heappush(self._queue, (at + delay, next(self._turn), job))
