"""What came of a job, entered into the ledger: a result kept, a failure, a crash resolved, a job let go.

Each end is one write together with what hangs on it: the budgets are settled, the cache entry is filled or dropped, a
start still to come is given back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from longplay.domain.errors import Charged
from longplay.domain.job import MOST_CRASHES, Attempt, Job, JobError, Output, Status
from longplay.storage.budgets import Budgets
from longplay.storage.cache import ENTRY, ResultCache
from longplay.storage.files import ResultBucket
from longplay.storage.jobs import JobTable, Refused
from longplay.storage.limiter import LINE, Limiter
from longplay.storage.table import Part, WriteRefused
from longplay.storage.timings import Timings

NOT_CALLED = "not called"  # the outcome of an attempt that was entered and not made


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """Writes the ends of attempts and jobs; workers, the sweeper and callers share it. `clock` gives epoch seconds."""

    jobs: JobTable
    bucket: ResultBucket
    budgets: Budgets
    cache: ResultCache
    limiter: Limiter
    timings: Timings
    clock: Callable[[], float] = time.time

    def keep(self, job: Job, outputs: Iterable[Output], request_id: str | None = None) -> str:
        """Record a whole result: the job's end or, where it has ended otherwise, what was paid for."""
        paid = ended(job, now=self.clock(), outcome="succeeded", charged=Charged.YES, request_id=request_id)
        kept = replace(paid, outputs=tuple(outputs))
        found: Job | None = kept
        while found is not None and not found.status.finished:
            try:
                return self._succeed(_merged(found, kept))
            except Refused as refused:
                found = refused.job
        return self._keep_late(kept, found)

    def keep_copy(self, job: Job) -> None:
        """End a follower with its copy of the result; raises Refused when it has ended already."""
        now = self.clock()
        self.jobs.succeed_following(job, now=now, beside=self._settle(job))

    def cancel(self, job: Job) -> None:
        """Cancel a job that nobody is at; raises Refused when somebody is."""
        self._end(job, lambda beside: self.jobs.cancel_waiting(job, now=self.clock(), beside=beside))

    def fail(self, job: Job, error: JobError) -> None:
        """End a job that its worker could not bring to a result; raises Refused when it is its no more."""
        self._end(job, lambda beside: self.jobs.fail(job, error, now=self.clock(), beside=beside))

    def fail_overdue(self, job: Job, error: JobError) -> None:
        """End a job whose deadline has passed; raises Refused when a worker is at it."""
        if job.ref is not None:
            self.jobs.fail_overdue_held(job, error, now=self.clock())
            return
        self._end(job, lambda beside: self.jobs.fail_overdue(job, error, now=self.clock(), beside=beside))

    def recover(self, job: Job) -> str | None:
        """End a job whose worker crashed, as far as that needs no new call; None when another call is due.

        The bucket is asked before anything is paid again: the worker may have died just after storing.
        """
        now = self.clock()
        if found := self.bucket.find(job.id, job.fence):
            self.limiter.call_ends(job.account, job.id)
            return self.keep(job, found)
        if job.ref is not None:
            return None
        crashed = ended(job, now=now, outcome="crashed")
        if job.status.finished:
            return self.close(crashed)
        if job.crashes + 1 < MOST_CRASHES and job.may_be_charged() and now < job.deadline:
            return None
        if now < min(job.grace_ends, job.deadline):
            return None
        error = _crash_error(job)
        self._end(crashed, lambda beside: self.jobs.fail_crashed(crashed, error, now=now, beside=beside))
        return "failed: worker_crashed"

    def close(self, job: Job) -> str:
        """Let go of a job that ended, or went to another worker, while this one was at it."""
        try:
            self._end(job, lambda beside: self.jobs.close(job, beside=beside))
        except Refused:
            return "superseded"
        return "closed"

    def _succeed(self, job: Job) -> str:
        hanging = [*self._settle(job), *self.cache.fill(job)]
        if hanging:
            last = job.attempts[-1]
            hanging.append(self.timings.add(job.request.model, job.route, (last.ended_at or 0) - last.started_at))
        self.jobs.succeed(job, now=self.clock(), beside=hanging)
        return "succeeded"

    def _keep_late(self, job: Job, found: Job | None) -> str:
        if found is None or found.deleted is not None:
            self.bucket.erase(job.id)
            self.close(job)
            return "erased"
        self.jobs.keep_late_result(job, beside=self.cache.fill(job))
        self._close_kept(job)
        return f"kept for a {found.status} job"

    def _close_kept(self, job: Job) -> None:
        try:
            self.jobs.close(job, beside=self._settle(job))
        except Refused:
            return

    def _end(self, job: Job, write: Callable[[Sequence[Part]], None]) -> None:
        """End a job without a result; somebody else's leadership of its request is left as it is."""
        settled, led = self._settle(job), self.cache.drop(job)
        while True:
            try:
                return write([*settled, *led, *self._slot_back(job)])
            except WriteRefused as refused:
                if ENTRY in refused.items:
                    led = []
                elif LINE not in refused.items:
                    raise

    def _slot_back(self, job: Job) -> list[Part]:
        """A start that nobody made; one that was made may look as if still to come, where the line was pushed since."""
        made = job.status is not Status.QUEUED and job.attempts[-1].outcome != NOT_CALLED
        if job.slot is None or made or not self.limiter.paces(job.account):
            return []
        return self.limiter.give_back(job.account, job.slot, now=self.clock())

    def _settle(self, job: Job) -> list[Part]:
        return self.budgets.settle(job, job.usd(Charged.YES, Charged.UNKNOWN))


def ended(
    job: Job,
    *,
    now: float,
    outcome: str,
    charged: Charged = Charged.UNKNOWN,
    request_id: str | None = None,
) -> Job:
    """The job with its last attempt as the ledger shows it once it has ended."""
    usd = 0.0 if charged is Charged.NO else job.price_usd
    closed = replace(job.attempts[-1], ended_at=now, outcome=outcome, charged=charged, request_id=request_id, usd=usd)
    return replace(job, attempts=(*job.attempts[:-1], closed))


def _merged(found: Job, kept: Job) -> Job:
    """The job as it stands, with this worker's result and this worker's entry in the ledger."""
    mine = len(kept.attempts) - 1
    attempts: tuple[Attempt, ...] = (*found.attempts[:mine], kept.attempts[mine], *found.attempts[mine + 1 :])
    return replace(found, attempts=attempts, outputs=kept.outputs)


def _crash_error(job: Job) -> JobError:
    return JobError(
        code="worker_crashed",
        message=f"The worker stopped in mid-work {job.crashes + 1} times; its calls may have been charged "
        f"({job.charges} of the {job.max_charges} allowed). Ask the operator to look at the generator's log, "
        "then retry it.",
        retryable=True,
        charged=Charged.UNKNOWN,
    )
