"""When a job is expected to start: behind others for a worker, for room, or at its reserved start."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from longplay.domain.catalogue import Route
from longplay.domain.estimates import Mix, expected_start, free_worker_in, seconds_of_a_worker
from longplay.domain.job import Job, Status, WaitReason
from longplay.storage.backlog import Backlog
from longplay.storage.limiter import Limiter, LinesInView


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """`workers` is how many messages of each queue are handled at once; `clock` gives epoch seconds."""

    backlog: Backlog
    limiter: Limiter
    lines: LinesInView
    workers: Mapping[str, int]
    clock: Callable[[], float] = time.time
    _mixes: dict[str, Mix] = field(default_factory=lambda: defaultdict(Mix))

    def free_worker_in(self, job: Job) -> float:
        """Seconds until a worker is free for a new message of the job."""
        queue = job.leg.queue
        seconds = self._mixes[queue].see(seconds_of_a_worker(job))
        return free_worker_in(self.backlog.waiting(queue), seconds=seconds, workers=self.workers[queue])

    def wait_at(self, route: Route) -> float:
        """Seconds for which the call of a new job would wait now on a route: for a worker, or for its account."""
        now, waiting = self.clock(), self.backlog.waiting(route.queue)
        seconds = self._mixes[route.queue].mean or route.typical_seconds
        worker = free_worker_in(waiting, seconds=seconds, workers=self.workers[route.queue])
        if not self.limiter.paces(route.account):
            return worker
        outlook = self.limiter.outlook(route.account, self.lines.line(route.account), now=now)
        return max(worker, outlook.next_start - now)

    def submitted(self, job: Job) -> None:
        """Count a job that this function has sent to its queue."""
        self.backlog.one_more(job.leg.queue)

    def standing(self, job: Job, *, just_submitted: bool = False) -> tuple[Job, int | None]:
        """A queued job with its expected start as its `not_before`, and its place in the line of starts from 1.

        The place is None where it is not known. A submission has seen the line a moment ago, when it took its slot.
        """
        if job.status is not Status.QUEUED or job.follows is not None:
            return job, None
        earliest, position = self._in_line(job, just_submitted=just_submitted)
        served = self.free_worker_in(job)
        start = expected_start(job, not_before=earliest, all_served_in=served, now=self.clock())
        return replace(job, not_before=start), position

    def _in_line(self, job: Job, *, just_submitted: bool) -> tuple[float, int | None]:
        """The earliest start that the limits of the account allow, and the place in its line."""
        account, now = job.leg.account, self.clock()
        for_room = job.wait is not None and job.wait.reason is WaitReason.CONCURRENCY
        if not self.limiter.paces(account) or not (for_room or job.slot is not None):
            return job.not_before, None
        line = self.limiter.line_last_seen(account) if just_submitted else self.lines.line(account)
        if for_room or job.slot is None:
            return now + self.limiter.room_in(account, line, job.id, typical=job.leg.typical_seconds), None
        return max(job.not_before, line.start_of(job.slot)), line.place_of(job.slot, now=now)
