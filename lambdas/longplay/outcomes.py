"""What came of an attempt, entered into the ledger: a result kept, a crash resolved, a job let go."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from longplay.errors import Charged
from longplay.job import MOST_CRASHES, Attempt, Job, JobError, Output
from longplay.job_table import JobTable, Refused
from longplay.result_bucket import ResultBucket


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """Writes the end of attempts; workers and the sweeper share it. `clock` gives epoch seconds."""

    jobs: JobTable
    bucket: ResultBucket
    clock: Callable[[], float] = time.time

    def keep(self, job: Job, outputs: Iterable[Output], request_id: str | None = None) -> str:
        """Record a whole result: the job's end or, where it has ended otherwise, what was paid for."""
        now = self.clock()
        paid = closed(job, now=now, outcome="succeeded", charged=Charged.YES, request_id=request_id)
        try:
            self.jobs.succeed(job, outputs, paid, now=now)
        except Refused as refused:
            return self._keep_late(job, refused.job, outputs, paid)
        return "succeeded"

    def recover(self, job: Job) -> str | None:
        """End a job whose worker crashed, as far as that needs no new call; None when another call is due.

        The bucket is asked before anything is paid again: the worker may have died just after storing.
        """
        now = self.clock()
        found = self.bucket.find(job.id, job.fence)
        if found:
            return self.keep(job, found)
        crashed = closed(job, now=now, outcome="crashed")
        if job.status.finished:
            return self.close(job, crashed)
        if job.crashes + 1 < MOST_CRASHES and job.may_pay() and now < job.deadline:
            return None
        self.jobs.fail_crashed(job, _crash_error(job), crashed, now=now)
        return "failed: worker_crashed"

    def close(self, job: Job, attempt: Attempt) -> str:
        """Let go of a job that ended, or went to another worker, while this one was at it."""
        try:
            self.jobs.close(job, attempt)
        except Refused:
            return "superseded"
        return "closed"

    def _keep_late(self, job: Job, found: Job | None, outputs: Iterable[Output], paid: Attempt) -> str:
        if found is None:
            return "erased"
        self.jobs.keep_late_result(job, outputs, paid)
        self.close(job, paid)
        return f"kept for a {found.status} job"


def closed(
    job: Job,
    *,
    now: float,
    outcome: str,
    charged: Charged = Charged.UNKNOWN,
    request_id: str | None = None,
) -> Attempt:
    """The job's last attempt as the ledger shows it once it has ended."""
    usd = 0.0 if charged is Charged.NO else job.price_usd
    return replace(job.attempts[-1], ended_at=now, outcome=outcome, charged=charged, request_id=request_id, usd=usd)


def _crash_error(job: Job) -> JobError:
    return JobError(
        code="worker_crashed",
        message=f"The worker stopped in mid-work {job.crashes + 1} times; its calls may have been charged "
        f"({job.charges} of the {job.max_charges} allowed). Ask the operator to look at the generator's log, "
        "then submit it again.",
        retryable=True,
        charged=Charged.UNKNOWN,
    )
