"""One step of a job: claim it, make its call or poll for it, record what came. It never sleeps; it lets go instead."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from longplay.domain.errors import ProviderError
from longplay.domain.job import Job, Status, Wait, WaitReason
from longplay.domain.settings import Settings
from longplay.engine.admission import RESERVED
from longplay.engine.calls import Calls
from longplay.engine.failures import Failures
from longplay.engine.followers import Followers
from longplay.engine.outcomes import Outcomes, ended
from longplay.providers.protocol import Accepted, Done, PollError
from longplay.storage.circuits import Circuits, pauses
from longplay.storage.files import ResultBucket
from longplay.storage.jobs import JobTable, Refused
from longplay.storage.limiter import Limiter
from longplay.storage.queue import JobQueue, Message, first_look

_CROWDED = 5.0  # seconds until a job looks again for room among the calls its account allows at once
_ASK_AGAIN, _ASK_AT_LAST = 15.0, 300.0  # seconds until a provider that could not be asked is asked again
_GIVE_UP = 3_600.0  # seconds past its deadline until which a provider is asked what became of an ended job


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Takes jobs one step further. `clock` gives epoch seconds."""

    jobs: JobTable
    queue: JobQueue
    bucket: ResultBucket
    limiter: Limiter
    calls: Calls
    circuits: Circuits
    outcomes: Outcomes
    failures: Failures
    followers: Followers
    settings: Settings
    clock: Callable[[], float] = time.time

    def advance(self, message: Message, *, remaining: float) -> str:
        """Take the job one step further within `remaining` seconds, and say in a word what happened."""
        now = self.clock()
        lease = now + remaining + self.settings.lease_margin
        try:
            job = self._take(message, now=now, lease=lease)
        except Refused:
            return "left alone"
        return job if isinstance(job, str) else self._work(job, remaining=remaining)

    def _take(self, message: Message, *, now: float, lease: float) -> Job | str:
        """The job, claimed; or what was done instead where its claim was refused. Raises Refused for nothing to do."""
        try:
            return self.jobs.claim(message.job, route=message.route, now=now, lease=lease)
        except Refused as refused:
            job = refused.job
            if job is None:
                raise
        if job.crashed(now) and (resolved := self.outcomes.recover(job)):
            return resolved
        if job.ref is not None:
            return self.jobs.step(job, now=now, lease=lease)
        if job.crashed(now) and job.grace_ends <= now:
            return self._take_over(job, now=now, lease=lease)
        if job.status is Status.QUEUED and job.follows is not None:
            return self.followers.look(job, now=now)
        if job.status is Status.QUEUED and job.not_before <= now and not job.may_be_charged():
            return self.failures.give_up(job)
        raise Refused(job)

    def _take_over(self, job: Job, *, now: float, lease: float) -> Job:
        closed = ended(job, now=now, outcome="crashed").attempts[-1]
        return self.jobs.take_over(job, closed, now=now, lease=lease)

    def _work(self, job: Job, *, remaining: float) -> str:
        if job.ref is not None:
            return self._poll(job, remaining=remaining)
        job, wait = self._due(job)
        return self.failures.call_off(job, wait) if wait else self._call(job, remaining=remaining)

    def _due(self, job: Job) -> tuple[Job, Wait | None]:
        """The job with the slot it starts by, and why it must wait all the same."""
        account, now = job.account, self.clock()
        if circuit := self.circuits.met(account):
            return job, Wait(reason=WaitReason.ACCOUNT_PAUSED, until=circuit.until, basis=circuit.why)
        if not self.limiter.paces(account):
            return job, None
        slot, start = self.limiter.start(account, job.slot, now=now)
        job = replace(job, slot=slot)
        if start > now:
            return job, Wait(reason=WaitReason.PROVIDER_QUOTA, until=start, basis=RESERVED)
        if not self.limiter.call_begins(account, job.id, now=now, until=job.call_ends_by):
            basis = "As many calls are under way as the provider's account allows."
            return job, Wait(reason=WaitReason.CONCURRENCY, until=now + _CROWDED, basis=basis)
        return job, None

    def _call(self, job: Job, *, remaining: float) -> str:
        with tempfile.TemporaryDirectory() as folder:
            try:
                answer = self.calls.submit(job, folder=Path(folder), remaining=remaining)
            except ProviderError as error:
                return self._failed(job, error)
            return self._answered(job, answer)

    def _poll(self, job: Job, *, remaining: float) -> str:
        if job.status.finished and self.clock() > job.deadline + _GIVE_UP:
            self.limiter.call_ends(job.account, job.id)
            return self.outcomes.close(ended(job, now=self.clock(), outcome="given up"))
        with tempfile.TemporaryDirectory() as folder:
            try:
                answer = self._asked(job, Path(folder), remaining=remaining)
            except PollError as failed:
                return self._ask_again(job, failed.error)
            except ProviderError as error:
                return self._failed(job, error)
            return self._answered(job, answer)

    def _ask_again(self, job: Job, error: ProviderError) -> str:
        """Nothing is lost by asking again, and soon: a result may lie at its provider for an hour only."""
        now, refused = self.clock(), pauses(error)
        if refused:
            self.circuits.note(error, account=job.account, model=job.request.model, route=job.route)
        accepted = Accepted(ref=str(job.ref), poll_after=min(max(_ASK_AGAIN, error.retry_after or 0), _ASK_AT_LAST))
        reason = WaitReason.ACCOUNT_PAUSED if refused else WaitReason.PROVIDER_ERROR
        wait = Wait(reason=reason, until=now + accepted.poll_after, basis=error.message)
        came = self._refer(replace(job, wait=wait), accepted)
        return f"account refused ({error.kind}), {came}" if refused else came

    def _asked(self, job: Job, folder: Path, *, remaining: float) -> Done | Accepted:
        """What the provider says by the reference; one whose job has ended is told to stop first."""
        if job.status.finished:
            self.calls.cancel(job, folder=folder, remaining=remaining)
        return self.calls.poll(job, folder=folder, remaining=remaining)

    def _answered(self, job: Job, answer: Done | Accepted) -> str:
        if isinstance(answer, Accepted):
            return self._refer(replace(job, wait=None), answer)
        outputs = self.bucket.store(job.id, job.fence, answer.files)
        self.limiter.call_ends(job.account, job.id)  # nothing stands between what was paid for and its place
        return self.outcomes.keep(job, outputs, answer.request_id)

    def _failed(self, job: Job, error: ProviderError) -> str:
        self.limiter.call_ends(job.account, job.id)
        return self.failures.give_back(job, error)

    def _refer(self, job: Job, accepted: Accepted) -> str:
        """Store the reference and let go in one write; then send the message that asks by it."""
        now = self.clock()
        asked_again = replace(job, ref=accepted.ref, not_before=now + accepted.poll_after)
        due_at = first_look(asked_again, now=now, resend_after=self.settings.resend_after)
        referred = replace(asked_again, due_at=due_at)
        try:
            self.jobs.refer(referred)
        except Refused:
            return "superseded"
        self.queue.send(referred, now=now)
        return "accepted by the provider"
