"""When a job that waits is expected to start, and how long one call takes in the mix of those that come."""

from __future__ import annotations

from dataclasses import dataclass

from longplay.domain.job import Job

_REMEMBERED = 200  # calls; an older one weighs less than a hundredth of a new one after five times as many
_STEP_SECONDS = 2.0  # seconds that a submit or a poll keeps a worker that does not hold the connection


@dataclass
class Mix:
    """The mean of the seconds that a call keeps a worker, over the jobs that this function has seen."""

    mean: float = 0.0
    seen: int = 0

    def see(self, seconds: float) -> float:
        """The mean with one more call."""
        self.seen = min(self.seen + 1, _REMEMBERED)
        self.mean += (seconds - self.mean) / self.seen
        return self.mean


def seconds_of_a_worker(job: Job) -> float:
    """How long a worker is busy with one message of the job."""
    return job.leg.typical_seconds if job.leg.queue == "calls" else _STEP_SECONDS


def free_worker_in(waiting: int, *, seconds: float, workers: int) -> float:
    """Seconds until a worker is free for a message with so many before it, if each takes `seconds` of one."""
    return waiting * seconds / workers


def expected_start(job: Job, *, not_before: float, all_served_in: float, now: float) -> float:
    """When the call of a queued job is expected to start (epoch seconds).

    `not_before` is its earliest start, and `all_served_in` the seconds until all messages that wait now have a worker.
    What its submission expected holds until it has passed. A job that is late is expected to be late by as much again
    as a quarter of its whole wait, and never by more than all that wait now need.
    """
    if not_before > now:
        return not_before
    came = max(job.not_before, job.created_at)
    told = job.start_expected if job.start_expected and not job.attempts else came + all_served_in
    left = told - now if told > now else (now - came) / 4
    return now + min(left, all_served_in)
