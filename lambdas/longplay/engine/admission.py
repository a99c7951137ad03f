"""Lets a job in: replay, cache, budgets and a reserved start, all in the one write that creates it."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from longplay.domain.decisions import following, slotted, take_the_lead
from longplay.domain.errors import LineTooLong, NotAdmitted
from longplay.domain.job import Job, Status
from longplay.engine.forecast import Forecast
from longplay.engine.ledger import Ledger
from longplay.storage.budgets import Budgets
from longplay.storage.cache import Entry, ResultCache, read_entry
from longplay.storage.ends import ENTRY
from longplay.storage.files import ResultBucket
from longplay.storage.limiter import LINE, Limiter, Reservation
from longplay.storage.table import Part, WriteRefused


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Creates jobs. A refused write names the part that refused it, and the next try takes that into account.

    A job whose start is more than `horizon` seconds away is not let in; None lets every job in.
    """

    ledger: Ledger
    limiter: Limiter
    budgets: Budgets
    cache: ResultCache
    bucket: ResultBucket
    forecast: Forecast
    horizon: float | None

    def admit(self, job: Job, *, fresh: bool, now: float) -> Job:
        """The job as it was created: queued with its slot, following another job, or finished from the cache.

        Raises Refused (with the job there is) for a replay, and NotAdmitted if there is no slot or no budget for a
        call. A job that follows another or is cached needs neither.
        """
        try:
            return self._admit(job, self._lead(job, fresh=fresh, now=now), now=now)
        except NotAdmitted:
            joined, beside = self._joined(job, fresh=fresh, now=now)
            if _needs_a_call(joined):
                raise
            return self._admit(joined, beside, now=now)

    def promote(self, job: Job, *, dead: str, now: float) -> Entry | None:
        """Make a follower the leader in place of one that is gone; the entry of another job that was faster, if any.

        It takes its slot and its budget now. Raises Refused when the job is no longer a follower, and NotAdmitted
        where a cap leaves no budget.
        """
        leads = replace(job, follows=None, not_before=now, wait=None)
        while True:
            line = self._reserve(leads, now)
            led = self.budgets.holding(self._slotted(leads, line, now), now=now)
            hold = [] if job.hold is not None else self.budgets.hold(led, now=now)
            beside = [*([line.part] if line else []), *hold, self.cache.reclaim(job, dead=dead)]
            try:
                self.ledger.write(take_the_lead(led), seen=job, now=now, beside=beside)
            except WriteRefused as refused:
                if ENTRY in refused.items:
                    return read_entry(refused.items[ENTRY])
                self._learn(refused, led, now=now)
            else:
                self._taken(line)
                return None

    def _lead(self, job: Job, *, fresh: bool, now: float) -> list[Part]:
        """The part that makes the job the leader of its request."""
        if job.cache_key is None:
            return []
        return [self.cache.replace(job) if fresh else self.cache.claim(job, now=now)]

    def _admit(self, job: Job, beside: list[Part], *, now: float) -> Job:
        while True:
            try:
                return self._create(job, beside, now=now)
            except WriteRefused as refused:
                job, beside = self._take_account(refused, job, beside, now=now)

    def _joined(self, job: Job, *, fresh: bool, now: float) -> tuple[Job, list[Part]]:
        """The job as a follower or with a cached result, as far as there is one."""
        entry = self.cache.entry(job.cache_key) if job.cache_key and not fresh else None
        if entry is None or entry.until <= now:
            return job, []
        return self._join(job, entry, now=now)

    def _create(self, job: Job, beside: list[Part], *, now: float) -> Job:
        if _needs_a_call(job):
            return self._create_for_a_call(job, beside, now=now)
        return self.ledger.create(job, now=now, beside=beside)

    def _create_for_a_call(self, job: Job, lead: list[Part], *, now: float) -> Job:
        line = self._reserve(job, now)
        slotted = self._slotted(replace(job, start_expected=now + self.forecast.free_worker_in(job)), line, now)
        self._refuse_too_long(slotted, now)
        job = self.budgets.holding(slotted, now=now)
        parts = [*([line.part] if line else []), *self.budgets.hold(job, now=now), *lead]
        created = self.ledger.create(job, now=now, beside=parts)
        self._taken(line)
        self.forecast.submitted(created)
        return created

    def _taken(self, line: Reservation | None) -> None:
        if line:
            self.limiter.took(line)

    def _reserve(self, job: Job, now: float) -> Reservation | None:
        if not self.limiter.paces(job.leg.account):
            return None
        return self.limiter.reserve(job.leg.account, now=now)

    def _slotted(self, job: Job, line: Reservation | None, now: float) -> Job:
        return slotted(job, line.slot, line.start, now=now) if line else job

    def _refuse_too_long(self, job: Job, now: float) -> None:
        most, quota, worker = self._longest_wait(job, now), job.not_before - now, (job.start_expected or now) - now
        if max(quota, worker) <= most:
            return
        ahead, what = max(
            (quota, "start the provider's quota allows"), (worker, "free worker, behind the jobs there are,")
        )
        raise LineTooLong(
            f"The next {what} is {ahead:,.0f} s away; this job may wait {most:,.0f} s. "
            "Send it again later, or with a longer `deadline_seconds`.",
            retry_after=max(1, round(ahead - most)),
        )

    def _longest_wait(self, job: Job, now: float) -> float:
        left = job.deadline - now
        return left if self.horizon is None else min(left, self.horizon)

    def _take_account(self, refused: WriteRefused, job: Job, lead: list[Part], *, now: float) -> tuple[Job, list[Part]]:
        """The job and the part to try next, given what refused the write. Raises NotAdmitted where a cap did."""
        if ENTRY in refused.items:
            entry = read_entry(refused.items[ENTRY])
            return self._join(job, entry, now=now) if entry else self._leading(job, now=now)
        self._learn(refused, job, now=now)
        return job, lead

    def _leading(self, job: Job, *, now: float) -> tuple[Job, list[Part]]:
        """The job as a leader, in the place of the one it followed, whose entry is gone."""
        return _unled(job, now), [self.cache.claim(job, now=now)]

    def _learn(self, refused: WriteRefused, job: Job, *, now: float) -> None:
        """Remember the line that the write found. Raises NotAdmitted where a cap refused it."""
        if LINE in refused.items:
            self.limiter.learn(job.leg.account, refused.items[LINE])
        self.budgets.refuse(refused, self.budgets.holding(job, now=now), now=now)

    def _join(self, job: Job, entry: Entry, *, now: float) -> tuple[Job, list[Part]]:
        """The job with a copy of the result there is, or as a follower of the job that generates it."""
        job = _unled(job, now)
        if not entry.outputs:
            return following(job, entry.leader, now=now), self.cache.follow(job, entry)
        if copies := self.bucket.copy(entry.outputs, job.folder):
            done = replace(job, status=Status.SUCCEEDED, outputs=copies, cached=True, completed_at=now, due_at=None)
            return done, []
        return job, [self.cache.reclaim(job, dead=entry.leader)]


def _needs_a_call(job: Job) -> bool:
    return job.follows is None and not job.status.finished


def _unled(job: Job, now: float) -> Job:
    """The job without the leader it was about to follow."""
    return job if job.follows is None else replace(job, follows=None, wait=None, not_before=now)
