"""The one place that writes what becomes of a job, with everything that belongs beside it, and sends its message."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from msgspec.structs import replace

from longplay.domain.decisions import (
    Decide,
    Decision,
    after_end,
    after_erasure,
    after_result,
    counted,
    ended_as,
    happening,
    when_there_is_room,
)
from longplay.domain.errors import Charged
from longplay.domain.hooks import Happening, Hook
from longplay.domain.job import NOT_CALLED, Job, Output, Status, WaitReason
from longplay.domain.schedule import first_look
from longplay.media.files import MediaFile
from longplay.storage.ends import ENTRY, Ends
from longplay.storage.files import ResultBucket
from longplay.storage.jobs import JobTable, Refused
from longplay.storage.limiter import LINE, Limiter
from longplay.storage.outbox import OutboxQueue
from longplay.storage.patience import Patience
from longplay.storage.queue import JobQueue
from longplay.storage.table import Part, WriteRefused

_LOOKED_UP = 3  # calls under way that are looked up at once


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
    hook_queue: OutboxQueue
    ends: Ends
    limiter: Limiter
    bucket: ResultBucket
    patience: Patience
    resend_after: float
    clock: Callable[[], float] = time.time

    def create(self, job: Job, *, now: float, beside: Sequence[Part] = ()) -> Job:
        """Write a new job and send its message, unless it has ended already. Raises Refused and WriteRefused."""
        if job.status.finished:
            ended = replace(job, counted=(0, 0))
            usage = self.ends.counted(ended, ended_as(job.status, cached=job.cached), now=now)
            hooks = self._hooks(ended, Happening(ended.status.value), now)
            self.jobs.create(ended, now=now, beside=[*beside, *usage, *self.ends.told(hooks)])
            self._tell(hooks, now)
            return ended
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

    def store(self, job: Job, files: Iterable[MediaFile]) -> tuple[Output, ...]:
        """Put a whole result into the bucket. Nothing else is done between a provider's answer and this."""
        return self.bucket.store(job.folder, job.fence, files)

    def record(self, job: Job, outputs: Iterable[Output], request_id: str | None = None) -> str:
        """Record a stored result: it ends the job or, where the job has ended otherwise, is kept and charged."""
        charged = Charged.YES if job.leg.price_usd else Charged.NO
        closed = job.closed(now=self.clock(), outcome="succeeded", charged=charged, request_id=request_id)
        applied = self.apply(job, after_result(replace(closed, outputs=tuple(outputs))))
        if applied is None:  # the owner has deleted the job
            return self.close(closed)
        if not applied.decision.change.ends:
            self.close(applied.decision.job)
        return applied.said

    def close(self, job: Job) -> str:
        """Let go of a job that ended, or went to another worker, during this worker's call."""
        applied = self.apply(job, after_end(job))
        return applied.said if applied else "superseded"

    def erase(self, job: Job) -> None:
        """Erase the files of a deleted job. It leaves the index, if no worker or poll can store others.

        Raises Unavailable; the sweeper then goes on.
        """
        self.bucket.erase(job.id)
        self.apply(job, after_erasure(job))

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

    def take_seat(self, job: Job) -> bool:
        """Whether the job's call may begin among those its account allows at once. If not, the job is told later.

        Where there is no room, a call or two that still count are looked up, since AWS may have failed at their end.
        """
        account, seat = job.leg.account, {"now": self.clock(), "until": job.call_ends_by}
        if self.limiter.call_begins(account, job.id, **seat):
            return True
        oldest = sorted(self.limiter.under_way(account).items(), key=itemgetter(1))[:_LOOKED_UP]
        gone = [other for other, _ in oldest if not _counts(self.jobs.find(other), account)]
        for other in gone:
            self._end_call(account, other)
        return bool(gone) and self.limiter.call_begins(account, job.id, **seat)

    def _looked_after(self, job: Job, now: float) -> Job:
        return replace(job, due_at=first_look(job, now=now, resend_after=self.resend_after))

    def _write_whole(self, decision: Decision, seen: Job, now: float) -> Job:
        """Write with all that belongs beside the change. The lead of another job for this request stays as it is."""
        seat_left = not self.patience.convenience(lambda: self._give_back_seat(decision, seen), otherwise=False)
        followers = self.ends.followers(seen) if decision.change.ends else []
        hooks = self._hooks(seen, happening(decision, seen), now)
        after = self._write_beside(decision, seen, now, told=self.ends.told(hooks))
        self._tell(hooks, now)
        if followers:
            self.queue.tell(followers, of=seen)
        if seat_left:
            self.patience.at_last(lambda: self._give_back_seat(decision, seen))
        return after

    def _hooks(self, job: Job, happening: Happening | None, now: float) -> list[Hook]:
        return self.ends.hooks(job, happening, now=now, resend_after=self.resend_after)

    def _tell(self, hooks: Iterable[Hook], now: float) -> None:
        for hook in hooks:
            self.hook_queue.send(hook, now=now)

    def _write_beside(self, decision: Decision, seen: Job, now: float, *, told: Sequence[Part]) -> Job:
        leads = True
        whole, usage = counted(decision, seen)
        while True:
            try:
                usages = self.ends.counted(whole.job, usage, now=now)
                beside = [*usages, *told, *self._beside(whole, seen, now, leads=leads)]
                return self.write(whole, seen=seen, now=now, beside=beside)
            except WriteRefused as refused:
                if ENTRY in refused.items:
                    leads = False
                elif LINE not in refused.items:
                    raise

    def _beside(self, decision: Decision, seen: Job, now: float, *, leads: bool) -> list[Part]:
        change, job = decision.change, decision.job
        parts = self.ends.cached(job) if change.succeeds and leads else []
        if change.ends:
            parts += self.ends.settled(job, now=now)
            parts += self.ends.dropped(job) if leads and not job.outputs else []
            parts += [] if _used_its_slot(decision, seen) else self._slot(job)
        elif _leaves_its_slot(decision, seen):
            parts += self._slot(seen)
        if change.ends and change.succeeds:
            parts.append(self.ends.measured(job, now=now))
        return parts

    def _slot(self, job: Job) -> list[Part]:
        return self.patience.convenience(lambda: self.ends.slot(job), otherwise=[])

    def _give_back_seat(self, decision: Decision, seen: Job) -> bool:
        """Room among the calls at once comes first: a crash before the write then leaves none taken."""
        change = decision.change
        has_one = _counts(seen, seen.leg.account) or (change.ends and _waits_for_room(seen))
        if (change.ends or change.ends_call) and decision.seated and has_one:
            self._end_call(seen.leg.account, seen.id)
        return True

    def _end_call(self, account: str, job_id: str) -> None:
        """Give the room back, and tell the jobs that have it now. One that needs it no more passes it on."""
        told = deque(self.limiter.call_ends(account, job_id, now=self.clock()))
        while told:
            job = self.jobs.find(told.popleft())
            if job is not None and self.apply(job, when_there_is_room) is None:
                told += self.limiter.call_ends(account, job.id, now=self.clock())


def _counts(job: Job | None, account: str) -> bool:
    """Whether a call of the job is under way at this account."""
    return job is not None and job.leg.account == account and (job.lease is not None or job.ref is not None)


def _waits_for_room(job: Job) -> bool:
    return job.wait is not None and job.wait.reason is WaitReason.CONCURRENCY


def _leaves_its_slot(decision: Decision, seen: Job) -> bool:
    """Whether the job goes to another account without the call for which it had a slot."""
    uncalled = bool(seen.attempts) and seen.attempts[-1].outcome == NOT_CALLED
    return uncalled and decision.job.leg.account != seen.leg.account


def _used_its_slot(decision: Decision, seen: Job) -> bool:
    """Whether a call was made. A used slot can look like a future one after the line was pushed back."""
    return seen.status is not Status.QUEUED and decision.job.attempts[-1].outcome != NOT_CALLED
