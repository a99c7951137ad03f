"""A burst of jobs against a provider that refuses calls that break its windows, in simulated time."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice

from longplay.domain.pacing import Window

from benchmarks.lines import ACCOUNT, Lines

BEGIN = 1_800_000_000.0  # the epoch second at which the whole burst is submitted
LONGEST_BACKOFF = 900.0  # seconds, the longest that SQS delays a message
SEED = 1


@dataclass(kw_only=True)
class SimulatedProvider:
    """Takes a call unless a rolling window is full; `starts` are the calls it has taken."""

    windows: Sequence[Window]
    starts: list[float] = field(default_factory=list)
    refused: int = 0

    def call(self, now: float) -> float:
        """0 for a call that is taken; otherwise a 429 with the seconds to wait."""
        wait = self.earliest(now) - now
        if wait > 0:
            self.refused += 1
        else:
            self.starts.append(now)
        return wait

    def earliest(self, now: float) -> float:
        """When, from `now` on, a call would be taken."""
        full = [window for window in self.windows if len(self.starts) >= window.starts]
        return max([now, *(self.starts[-window.starts] + window.seconds for window in full)])


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of a burst: the accepted starts, the calls refused with 429, the messages delivered."""

    starts: Sequence[float]
    refused: int
    deliveries: int

    @property
    def makespan(self) -> float:
        """Seconds from the submission to the last start."""
        return self.starts[-1] - BEGIN


def ideal(jobs: int, windows: Sequence[Window]) -> float:
    """The makespan of calls that each start the moment the provider would take them."""
    provider = SimulatedProvider(windows=windows)
    for _ in range(jobs):
        provider.call(provider.earliest(BEGIN))
    return provider.starts[-1] - BEGIN


def reserved(jobs: int, provider: SimulatedProvider, lines: Lines, *, late: float = 0.0) -> Outcome:
    """A slot reserved for each job at its submission; messages come up to `late` seconds after their time."""
    slots = [lines.take_slot(limiter, now=BEGIN) for limiter in islice(cycle(lines.limiters), jobs)]
    worker, deliveries, late_by = lines.limiters[0], 0, _uniform()
    queue = [(slot + late_by(0, late), job, slot) for job, slot in enumerate(slots)]
    heapq.heapify(queue)
    while queue:
        now, job, slot = heapq.heappop(queue)
        deliveries += 1
        slot, start = worker.start(ACCOUNT, slot, now=now)
        again = start if start > now else now + provider.call(now)
        if again > now:
            heapq.heappush(queue, (again + late_by(0, late), job, slot))
    return Outcome(starts=provider.starts, refused=provider.refused, deliveries=deliveries)


def backed_off(jobs: int, provider: SimulatedProvider) -> Outcome:
    """The same burst without reservation: a refused call comes back after an exponential backoff with full jitter."""
    deliveries, jittered = 0, _uniform()
    queue = [(BEGIN, job, 2.0) for job in range(jobs)]
    while queue:
        now, job, backoff = heapq.heappop(queue)
        deliveries += 1
        if provider.call(now) > 0:
            heapq.heappush(queue, (now + jittered(0, backoff), job, min(LONGEST_BACKOFF, 2 * backoff)))
    return Outcome(starts=provider.starts, refused=provider.refused, deliveries=deliveries)


def _uniform() -> Callable[[float, float], float]:
    """The same random numbers at each run."""
    return random.Random(SEED).uniform  # noqa: S311 - guards nothing
