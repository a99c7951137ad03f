"""How a job is let in: replay, cache, budgets and its place in line, all in the one write that creates it."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from longplay.domain.errors import LineTooLong
from longplay.domain.job import Job, Status, Wait, WaitReason
from longplay.domain.settings import Settings
from longplay.storage.budgets import Budgets
from longplay.storage.cache import ENTRY, Entry, ResultCache, read_entry
from longplay.storage.files import ResultBucket
from longplay.storage.jobs import JobTable
from longplay.storage.limiter import LINE, Limiter, Reservation
from longplay.storage.queue import first_look
from longplay.storage.table import Part, WriteRefused

RESERVED = "The provider's quota: a reserved start."
_LOOKS = 4  # how often a follower looks for its leader's result within the time that usually takes


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Creates jobs. Whatever refuses the write says so by the part's name, and the next try takes it into account."""

    jobs: JobTable
    limiter: Limiter
    budgets: Budgets
    cache: ResultCache
    bucket: ResultBucket
    settings: Settings

    def admit(self, job: Job, *, fresh: bool, now: float) -> Job:
        """The job as it was created: queued with its slot, following another, or finished from the cache.

        Raises Refused (with the job there is) for a replay, OverBudget, and LineTooLong.
        """
        lead = self._lead(job, fresh=fresh, now=now)
        while True:
            try:
                return self._create(job, lead, now=now)
            except WriteRefused as refused:
                job, lead = self._take_account(refused, job, lead, now=now)
            if job.status.finished:
                self.jobs.create(job, now=now)
                return job

    def promote(self, job: Job, *, dead: str, now: float) -> tuple[Job, Entry | None]:
        """Make a follower the leader in the place of one that is gone; or the entry of whoever was faster.

        Raises Refused when the job is no follower any more.
        """
        while True:
            line = self._reserve(replace(job, follows=None), now)
            led = self._slotted(replace(job, follows=None, not_before=now, wait=None), line, now)
            try:
                self.jobs.take_the_lead(
                    led, beside=[*([line.part] if line else []), self.cache.reclaim(job, dead=dead)]
                )
            except WriteRefused as refused:
                if ENTRY in refused.items:
                    return job, read_entry(refused.items[ENTRY])
                self.limiter.learn(job.account, refused.items[LINE])
            else:
                return self._taken(led, line), None

    def _lead(self, job: Job, *, fresh: bool, now: float) -> list[Part]:
        """The part that makes the job the one that generates the answer to its request."""
        if job.cache_key is None:
            return []
        return [self.cache.replace(job) if fresh else self.cache.claim(job, now=now)]

    def _create(self, job: Job, lead: list[Part], *, now: float) -> Job:
        held = self.budgets.holding(job, now=now)
        line = self._reserve(held, now)
        slotted = self._slotted(held, line, now)
        self._refuse_too_long(slotted, now)
        parts = [*([line.part] if line else []), *self.budgets.hold(held, now=now), *lead]
        self.jobs.create(slotted, now=now, beside=parts)
        return self._taken(slotted, line)

    def _taken(self, job: Job, line: Reservation | None) -> Job:
        if line:
            self.limiter.took(line)
        return job

    def _reserve(self, job: Job, now: float) -> Reservation | None:
        if job.follows is not None or not self.limiter.paces(job.account):
            return None
        return self.limiter.reserve(job.account, now=now)

    def _slotted(self, job: Job, line: Reservation | None, now: float) -> Job:
        """The job with its start, and with when the sweeper first looks after it."""
        if line is not None:
            wait = Wait(reason=WaitReason.PROVIDER_QUOTA, until=line.start, basis=RESERVED)
            job = replace(job, slot=line.slot, not_before=line.start, wait=wait if line.start > now else None)
        return replace(job, due_at=first_look(job, now=now, resend_after=self.settings.resend_after))

    def _refuse_too_long(self, job: Job, now: float) -> None:
        ahead, most = job.not_before - now, self._longest_wait(job, now)
        if ahead > most:
            raise LineTooLong(
                f"The next start the provider's quota allows is {ahead:,.0f} s away; this job may wait {most:,.0f} s. "
                "Send it again later, or with a longer `deadline_seconds`.",
                retry_after=max(1, round(ahead - most)),
            )

    def _longest_wait(self, job: Job, now: float) -> float:
        left = job.deadline - now
        return left if self.settings.horizon is None else min(left, self.settings.horizon)

    def _take_account(self, refused: WriteRefused, job: Job, lead: list[Part], *, now: float) -> tuple[Job, list[Part]]:
        """What to try next, knowing what stood in the way; raises OverBudget where a cap did."""
        if over := self.budgets.over_budget(refused, job, now=now):
            raise over
        if LINE in refused.items:
            self.limiter.learn(job.account, refused.items[LINE])
        if ENTRY in refused.items and (entry := read_entry(refused.items[ENTRY])):
            return self._join(job, entry, now=now)
        return job, lead

    def _join(self, job: Job, entry: Entry, *, now: float) -> tuple[Job, list[Part]]:
        """Take the result there is, or follow whoever is generating it."""
        if not entry.outputs:
            return following(job, entry.leader, now=now, resend_after=self.settings.resend_after), []
        if copies := self.bucket.copy(entry.outputs, job.id):
            done = replace(job, status=Status.SUCCEEDED, outputs=copies, cached=True, completed_at=now, due_at=None)
            return done, []
        return job, [self.cache.reclaim(job, dead=entry.leader)]


def following(job: Job, leader: str, *, now: float, resend_after: float) -> Job:
    """The job as one that waits for another's result, and looks for it a few times while that is made."""
    until = now + max(1.0, job.typical_seconds / _LOOKS)
    wait = Wait(reason=WaitReason.COALESCED, until=until, basis=f"Job {leader} is generating the same.")
    follower = replace(job, follows=leader, not_before=until, wait=wait, slot=None)
    return replace(follower, due_at=first_look(follower, now=now, resend_after=resend_after))
