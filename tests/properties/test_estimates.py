"""The waits that callers are told, beside how long they then waited, in a simulated day with backlogs."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from longplay.domain.catalogue import Kind
from longplay.domain.estimates import Mix, expected_start, free_worker_in
from longplay.domain.job import Job, Leg, Status, opened
from longplay.domain.request import GenerationRequest
from longplay.http.job_view import ViewContext, job_view
from msgspec import UNSET
from msgspec.structs import replace

from tests.harness.summaries import FIGURE

DAY = 86_400.0
WORKERS = 4
MIX = {"image": 5.0, "music": 30.0, "video": 90.0}  # the typical seconds of each kind
ASKED = 3  # how often a caller asks after the submission, at random moments until the end
CLOSE = 5.0  # seconds; a telling that is so close is right, however short the wait


@dataclass
class Simulated:
    """One job of the day: when it came, started and ended, and what it was told at its submission."""

    job: Job
    seconds: float
    started: float = 0.0
    ended: float = 0.0


@dataclass
class Day:
    """A day of bursts at a line of workers, first in, first out. Calls take 0.7 to 1.4 times what is typical."""

    seed: int
    jobs: list[Simulated] = field(default_factory=list)

    def run(self) -> Day:
        """Let all jobs come, wait and end."""
        self._chance = random.Random(self.seed)  # noqa: S311 - guards nothing
        free, mix, starts = [0.0] * WORKERS, Mix(), list[float]()
        for now in self._arrivals():
            typical = self._chance.choices(list(MIX.values()), weights=[6, 3, 1])[0]
            waiting = sum(start > now for start in starts)
            served = free_worker_in(waiting, seconds=mix.see(typical), workers=WORKERS)
            simulated = Simulated(_job(now, typical, served), typical * self._chance.uniform(0.7, 1.4))
            simulated.started = max(now, heapq.heappop(free))
            simulated.ended = simulated.started + simulated.seconds
            heapq.heappush(free, simulated.ended)
            starts = [start for start in (*starts, simulated.started) if start > now]
            self.jobs.append(simulated)
        return self

    def waiting_at(self, moment: float) -> int:
        """How many jobs are in the queue."""
        return sum(one.job.created_at <= moment < one.started for one in self.jobs)

    def _arrivals(self) -> list[float]:
        """Ten bursts of up to 400 jobs within some minutes, and single jobs between them."""
        bursts = [(self._chance.uniform(0, DAY), self._chance.randint(20, 400)) for _ in range(10)]
        burst = [begin + self._chance.uniform(0, 600) for begin, jobs in bursts for _ in range(jobs)]
        return sorted([*burst, *(self._chance.uniform(0, DAY) for _ in range(500))])


def _job(now: float, typical: float, served: float) -> Job:
    request = GenerationRequest(kind=Kind.MUSIC, model="musicgen-small", prompt="waltz", parameters={})
    leg = Leg(route="endpoint", account="*", price_usd=0.0, typical_seconds=typical)
    return Job(
        id="job",
        owner="alice",
        status=Status.QUEUED,
        request=request,
        created_at=now,
        expires_at=0,
        deadline=now + DAY,
        body_hash="",
        token="",
        leg=leg,
        not_before=now,
        max_charges=1,
        start_expected=now + served,
    )


def _told(day: Day, one: Simulated, moment: float, mean: float) -> float:
    """The `eta_seconds` that the caller reads at this moment."""
    job = one.job
    if moment >= one.started:
        job = replace(job, status=Status.RUNNING, attempts=(opened("endpoint", now=one.started, token=""),))
    else:
        served = free_worker_in(day.waiting_at(moment), seconds=mean, workers=WORKERS)
        job = replace(job, not_before=expected_start(job, not_before=moment, all_served_in=served, now=moment))
    context = ViewContext(now=moment, model=None, position=None, url=lambda _: "", url_seconds=1)
    wait = job_view(job, context).wait
    assert wait is not UNSET
    return wait.eta_seconds


@pytest.mark.parametrize("seed", range(3))
def test_nine_of_ten_tellings_are_within_a_factor_of_two(
    seed: int, record_property: Callable[[str, object], None]
) -> None:
    """At submission and at three random moments later, for every fifth job of a day."""
    day, chance = Day(seed).run(), random.Random(seed)  # noqa: S311 - guards nothing
    mean = sum(weight * seconds for weight, seconds in zip((0.6, 0.3, 0.1), MIX.values(), strict=True))
    right = []
    for one in day.jobs[::5]:
        for part in (0, *(chance.random() for _ in range(ASKED))):
            moment = one.job.created_at + part * (one.ended - one.job.created_at)
            truth, told = one.ended - moment, _told(day, one, moment, mean)
            right.append(truth / 2 <= told <= 2 * truth or abs(told - truth) <= CLOSE)
    waits = sorted(one.started - one.job.created_at for one in day.jobs)
    share = sum(right) / len(right)
    figure = (
        f"{len(right)} tellings of a day: {share:.0%} within a factor of two; the longest wait is {waits[-1]:.0f} s"
    )
    record_property(FIGURE, figure)
    assert share >= 0.9
