"""The one place that writes what becomes of a job, with everything that belongs beside it, and sends its message."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from longplay.domain.decisions import Decide, Decision
from longplay.domain.errors import Charged
from longplay.domain.job import NOT_CALLED, Job, Status
from longplay.domain.schedule import first_look
from longplay.storage.budgets import Budgets
from longplay.storage.cache import ENTRY, ResultCache
from longplay.storage.jobs import JobTable, Refused
from longplay.storage.limiter import LINE, Limiter
from longplay.storage.queue import JobQueue
from longplay.storage.table import Part, WriteRefused
from longplay.storage.timings import Timings


@dataclass(frozen=True, kw_only=True)
class Applied:
    """A decision that was written, and the job as it stands after it."""

    decision: Decision
    job: Job

    @property
    def said(self) -> str:
        """The decision in a word, for the log."""
        return self.decision.said


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Creates, claims and changes jobs. `resend_after` is in seconds; `clock` gives epoch seconds."""

    jobs: JobTable
    queue: JobQueue
    budgets: Budgets
    cache: ResultCache
    limiter: Limiter
    timings: Timings
    resend_after: float
    clock: Callable[[], float] = time.time

    def create(self, job: Job, *, now: float, beside: Sequence[Part] = ()) -> Job:
        """Write a new job and send its message, unless it has ended already. Raises Refused and WriteRefused."""
        if job.status.finished:
            self.jobs.create(job, now=now, beside=beside)
            return job
        created = self._looked_after(job, now)
        self.jobs.create(created, now=now, beside=beside)
        self.queue.send(created, now=now)
        return created

    def claim(self, job_id: str, *, route: str, lease: float) -> Job:
        """Take a queued job for a call. Raises Refused, with the job as it stands."""
        return self.jobs.claim(job_id, route=route, now=self.clock(), lease=lease)

    def apply(self, job: Job, decide: Decide) -> Applied | None:
        """Decide, write, send. After a refusal it decides again on the job as it stands; None if nothing is left."""
        seen: Job | None = job
        while seen is not None:
            now = self.clock()
            decision = decide(seen, now)
            if decision is None:
                return None
            try:
                return Applied(decision=decision, job=self._write_whole(decision, seen, now))
            except Refused as refused:
                seen = refused.job if refused.job and refused.job.token != seen.token else None
        return None

    def write(self, decision: Decision, *, seen: Job, now: float, beside: Sequence[Part] = ()) -> Job:
        """Write one decision with these parts beside it, then send. Raises Refused and WriteRefused."""
        job = decision.job
        if decision.due_at is not None:
            job = replace(job, due_at=decision.due_at)
        elif decision.send:
            job = self._looked_after(job, now)
        after = self.jobs.change(decision.change, job, seen=seen, now=now, beside=beside)
        if decision.send:
            self.queue.send(job, now=now)
        return after

    def send_again(self, job: Job) -> None:
        """Send a job's message again; the first one may be lost."""
        self.queue.send(job, now=self.clock())

    def _looked_after(self, job: Job, now: float) -> Job:
        return replace(job, due_at=first_look(job, now=now, resend_after=self.resend_after))

    def _write_whole(self, decision: Decision, seen: Job, now: float) -> Job:
        """Write with all that belongs beside the change. The lead of another job for this request stays as it is."""
        self._give_back_seat(decision, seen)
        leads = True
        while True:
            try:
                beside = self._beside(decision, seen, now, leads=leads)
                return self.write(decision, seen=seen, now=now, beside=beside)
            except WriteRefused as refused:
                if ENTRY in refused.items:
                    leads = False
                elif LINE not in refused.items:
                    raise

    def _beside(self, decision: Decision, seen: Job, now: float, *, leads: bool) -> list[Part]:
        change, job = decision.change, decision.job
        parts: list[Part] = []
        if change.succeeds:
            parts += self.cache.fill(job)
        if change.ends:
            parts += self.budgets.settle(job, job.usd(Charged.YES, Charged.UNKNOWN))
            parts += self.cache.drop(job) if leads and not job.outputs else []
            parts += self._unused_slot(decision, seen, now)
        if change.ends and change.succeeds and parts:
            parts.append(self._timing(job))
        return parts

    def _timing(self, job: Job) -> Part:
        last = job.attempts[-1]
        return self.timings.add(job.request.model, job.leg.route, (last.ended_at or 0) - last.started_at)

    def _unused_slot(self, decision: Decision, seen: Job, now: float) -> list[Part]:
        """The reserved slot, if unused. A used slot can look like a future one after the line was pushed back."""
        job = decision.job
        used = seen.status is not Status.QUEUED and job.attempts[-1].outcome != NOT_CALLED
        if job.slot is None or used or not self.limiter.paces(job.leg.account):
            return []
        return self.limiter.give_back(job.leg.account, job.slot, now=now)

    def _give_back_seat(self, decision: Decision, seen: Job) -> None:
        """Room among the calls at once comes first: a crash before the write then leaves none taken."""
        change, under_way = decision.change, seen.lease is not None or seen.ref is not None
        if (change.ends or change.ends_call) and decision.called and under_way:
            self.limiter.call_ends(seen.leg.account, seen.id)
