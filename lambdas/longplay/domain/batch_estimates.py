"""When a batch is expected to be over, and how many of its lines will not start before its deadline."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from longplay.domain.batches import LONGEST_LINE, Ahead, Batch
from longplay.domain.estimates import seconds_of_a_worker
from longplay.domain.job import Job, Status


@dataclass(frozen=True, kw_only=True)
class Room:
    """The room that an account and the workers leave for the lines of a batch.

    `starts` are the next starts that the account's windows allow (epoch seconds), one for each line, or none where it
    has no windows. `seats` is how many of the jobs may be under way at once, and `workers` how many workers its queue
    has.
    """

    starts: Sequence[float]
    seats: int | None
    workers: int


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """The seconds until all lines have ended, and how many of them expire before it is their turn."""

    eta_seconds: float
    expire: int


def estimate(batch: Batch, jobs: Iterable[Job], rooms: Mapping[str, Room], *, now: float) -> Estimate:
    """The estimate, if no other callers come in between. `jobs` are those of the batch that are not over."""
    open_jobs = [*jobs]
    ends = [_end(job, now) for job in open_jobs]
    expire = 0
    for account, rest in batch.ahead.items():
        last, late = _last_start(batch, rest, rooms[account], _busy(open_jobs, rest.queue, rooms[account]), now)
        ends.append(max(last, min(batch.resumes_at, batch.deadline)) + rest.typical)
        expire += late
    return Estimate(eta_seconds=max(0.0, max(ends, default=now) - now), expire=expire)


def _last_start(batch: Batch, rest: Ahead, room: Room, busy: float, now: float) -> tuple[float, int]:
    """The start of the last line that is let in before the deadline, and how many are not."""
    if batch.resumes_at >= batch.deadline:
        return now, rest.lines
    latest = batch.deadline + LONGEST_LINE  # a line that is let in at the last moment can wait so long
    by_worker = busy + rest.seconds / room.workers
    by_seat = rest.lines * rest.typical / room.seats if room.seats else 0.0
    in_turn = max(by_worker, by_seat)
    left = max(0.0, latest - now)
    late = math.floor(rest.lines * (1 - left / in_turn)) if in_turn > left else 0
    late = max(late, sum(1 for start in room.starts if start > latest))
    last = room.starts[rest.lines - late - 1] if room.starts and late < rest.lines else now
    return min(max(last, now + in_turn), latest), late


def _busy(jobs: Iterable[Job], queue: str, room: Room) -> float:
    """How long the workers are busy with the jobs of the batch that wait already."""
    waiting = (seconds_of_a_worker(job) for job in jobs if job.leg.queue == queue and job.status is Status.QUEUED)
    return sum(waiting) / room.workers


def _end(job: Job, now: float) -> float:
    """When an open job is expected to end; one that takes longer than usual takes another quarter of its time."""
    if job.status is Status.RUNNING:
        running = max(0.0, now - job.attempts[-1].started_at)
        return now + max(job.leg.typical_seconds - running, running / 4)
    return max(job.not_before, now) + job.leg.typical_seconds
