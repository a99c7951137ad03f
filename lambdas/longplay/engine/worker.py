"""One step of a job: claim it, make its call or poll for it, record the answer. It waits for a few seconds at most."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from longplay.domain.caller_texts import AWS_BUSY, NO_ROOM, NO_ROOM_YET, NOT_YET_STORED, REFUSED_ACCESS, poll_text
from longplay.domain.decisions import RESERVED, after_reference, claim_poll, take_over
from longplay.domain.errors import Charged, FailureKind, ProviderError, Unavailable
from longplay.domain.job import Job, Wait, WaitReason
from longplay.domain.phases import STEPS, Event, Step
from longplay.domain.schedule import LONGEST_WAIT, given_up
from longplay.engine.calls import Calls
from longplay.engine.failures import Failures, log_failure
from longplay.engine.followers import Followers
from longplay.engine.ledger import Ledger
from longplay.engine.recovery import Recovery
from longplay.providers.protocol import ROOM, Accepted, Done, PollError
from longplay.storage.circuits import pauses
from longplay.storage.jobs import Refused, new_secret
from longplay.storage.limiter import Limiter
from longplay.storage.patience import Patience
from longplay.storage.queue import Message
from longplay.storage.workspace import NoRoom, workspace

_log = logging.getLogger("longplay.worker")
_PAST = 0.001  # seconds after a start for which the worker has waited; its clock may have been set back a little
_POLL_AGAIN, _POLL_AT_LAST = 15.0, 300.0  # seconds until a provider that could not be polled is polled again
_LOOKS, _SLOW = 3, 1.0  # looks at a start until AWS counts as too slow, and the seconds that one of them may take
_LAST = 2.0  # seconds before an invocation ends in which nothing is tried again
_AWS_AGAIN = 10.0  # seconds until a step is tried again that AWS did not let begin
_NO_ROOM = 30.0  # seconds until a step is tried again for which the function has no room, maybe by another one

LEFT_ALONE = "left alone"
_LOST = "The result was made and charged, but could not be stored ({cause}). Look at the bucket and its permissions."


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Takes jobs one step further. `lease_margin` is in seconds; `clock` gives epoch seconds."""

    ledger: Ledger
    recovery: Recovery
    failures: Failures
    followers: Followers
    calls: Calls
    limiter: Limiter
    patience: Patience
    lease_margin: float
    clock: Callable[[], float] = time.time

    def advance(self, message: Message, *, remaining: float) -> str:
        """Take the job one step further within `remaining` seconds, and say in a word what was done."""
        remaining -= self._wait_until(message.not_before)
        with self.patience.within(self.clock() + remaining - _LAST):
            return self._advance(message, remaining=remaining)

    def _advance(self, message: Message, *, remaining: float) -> str:
        lease = self.clock() + remaining + self.lease_margin
        try:
            job = self.ledger.claim(message.job, route=message.route, lease=lease)
        except Refused as refused:
            if refused.job is None:
                return LEFT_ALONE
            if refused.job.not_before == message.not_before > self.clock():
                return self._early(refused.job)
            return self._otherwise(refused.job, lease=lease, remaining=remaining)
        return self._call(job, remaining=remaining)

    def _early(self, job: Job) -> str:
        """Its only message comes too early to be waited with, by this clock; without another one it would be late."""
        self.ledger.send_again(job)
        return "early: sent again"

    def _otherwise(self, job: Job, *, lease: float, remaining: float) -> str:
        """The step of a job that cannot be claimed for a call."""
        match STEPS[job.phase(self.clock())][Event.MESSAGE]:
            case Step.RESOLVE_CRASH:
                return self._resolve(job, lease=lease, remaining=remaining)
            case Step.CLAIM_POLL:
                return self._poll_claimed(job, lease=lease, remaining=remaining)
            case Step.LOOK_AT_LEADER:
                return self.followers.look(job, now=self.clock())
            case Step.GIVE_UP:
                return self.failures.give_up(job)
            case _:
                return LEFT_ALONE

    def _resolve(self, job: Job, *, lease: float, remaining: float) -> str:
        if resolved := self.recovery.resolve(job):
            return resolved
        if job.ref is not None:
            return self._poll_claimed(job, lease=lease, remaining=remaining)
        taken = self.ledger.apply(job, take_over(lease=lease, token=new_secret()))
        return self._call(taken.job, remaining=remaining) if taken else LEFT_ALONE

    def _poll_claimed(self, job: Job, *, lease: float, remaining: float) -> str:
        taken = self.ledger.apply(job, claim_poll(lease=lease))
        return self._poll(taken.job, remaining=remaining) if taken else LEFT_ALONE

    def _call(self, job: Job, *, remaining: float) -> str:
        try:
            with workspace(room=ROOM) as folder:
                return self._call_in(folder, job, remaining=remaining)
        except NoRoom as error:
            _log.error("no room for the call of job %s: %s", job.id, error)
            return self._not_begun(job, NO_ROOM, again=_NO_ROOM, seated=False)

    def _call_in(self, folder: Path, job: Job, *, remaining: float) -> str:
        began = self.clock()
        try:
            image = self.calls.image(job)
            if not self.limiter.paused(job.leg.account, now=began):
                self.calls.prepare(job, image=image, folder=folder, remaining=remaining)
            job, wait = self._due(job)
        except Unavailable as error:
            return self._aws_down(job, error)
        except ProviderError as error:
            return self._failed(job, error)
        remaining -= self.clock() - began
        if wait:
            seated = job.id in self.limiter.under_way(job.leg.account)
            return self.failures.call_off(job, wait, seated=seated)
        try:
            answer = self.calls.submit(job, image=image, folder=folder, remaining=remaining)
        except ProviderError as error:
            return self._failed(job, error)
        return self._answered(job, answer)

    def _aws_down(self, job: Job, error: Unavailable) -> str:
        _log.warning("AWS did not answer before the call of job %s: %s", job.id, error.cause)
        return self._not_begun(job, AWS_BUSY, again=_AWS_AGAIN, seated=True)

    def _not_begun(self, job: Job, basis: str, *, again: float, seated: bool) -> str:
        """The provider could not be asked: the call is taken back, and made `again` seconds later."""
        wait = Wait(reason=WaitReason.SERVICE_BUSY, until=self.clock() + again, basis=basis)
        with self.patience.paid():
            return self.failures.call_off(job, wait, seated=seated)

    def _failed(self, job: Job, error: ProviderError) -> str:
        with self.patience.paid():
            return self.failures.record(job, error)

    def _due(self, job: Job) -> tuple[Job, Wait | None]:
        """The job with the slot it starts by, and a wait where it may not start yet. Raises Unavailable."""
        for _ in range(_LOOKS):
            job, wait, looked_at = self._looked_at(job)
            if wait or self.clock() - looked_at <= _SLOW:
                return job, wait
        raise Unavailable("slow answers")

    def _looked_at(self, job: Job) -> tuple[Job, Wait | None, float]:
        """The same by one look, and when that began."""
        account, now = job.leg.account, self.clock()
        if pause := self.limiter.paused(account, now=now):
            return job, Wait(reason=WaitReason.ACCOUNT_PAUSED, until=pause.until, basis=REFUSED_ACCESS), now
        if not self.limiter.paces(account):
            return job, None, now
        slot, start = self.limiter.start(account, job.slot, now=now)
        job = replace(job, slot=slot)
        if self._wait_until(start):  # the line moved back a little after the message was sent
            return self._looked_at(job)
        if start > now:
            return job, Wait(reason=WaitReason.PROVIDER_QUOTA, until=start, basis=RESERVED), now
        return job, None if self.ledger.take_seat(job) else self._without_seat(job, now), now

    def _without_seat(self, job: Job, now: float) -> Wait:
        look = self.limiter.looks_for_room_in(job.leg.account, job.id, typical=job.leg.typical_seconds)
        basis = "As many calls are under way as the provider's account allows."
        return Wait(reason=WaitReason.CONCURRENCY, until=now + look, basis=basis)

    def _wait_until(self, start: float) -> float:
        """The seconds waited: until the start, if that is near, else 0."""
        early = start - self.clock()
        if not 0 < early <= LONGEST_WAIT:
            return 0.0
        time.sleep(early + _PAST)
        return early

    def _poll(self, job: Job, *, remaining: float) -> str:
        now = self.clock()
        if given_up(job, now=now):
            return self.ledger.close(job.closed(now=now, outcome="given up"))
        try:
            with workspace(room=ROOM) as folder:
                return self._poll_in(folder, job, remaining=remaining)
        except NoRoom as error:
            _log.error("no room for the result of job %s: %s", job.id, error)
            return self._poll_later(job, NO_ROOM_YET, again=_NO_ROOM)

    def _poll_in(self, folder: Path, job: Job, *, remaining: float) -> str:
        try:
            answer = self._polled(job, folder, remaining=remaining)
        except PollError as failed:
            return self._poll_again(job, failed.error)
        except ProviderError as error:
            return self._failed(job, error)
        return self._answered(job, answer)

    def _polled(self, job: Job, folder: Path, *, remaining: float) -> Done | Accepted:
        """The provider's answer to a poll. A provider whose job has ended is told to stop first."""
        if job.status.finished:
            self.calls.cancel(job, folder=folder, remaining=remaining)
        return self.calls.poll(job, folder=folder, remaining=remaining)

    def _poll_again(self, job: Job, error: ProviderError) -> str:
        """A poll that failed loses nothing, and is repeated soon: some providers keep a result for an hour only."""
        log_failure(job, error, "poll failed")
        refused = pauses(error)
        if refused:
            self.failures.note(job, error)
        poll_at = self.clock() + min(max(_POLL_AGAIN, error.retry_after or 0), _POLL_AT_LAST)
        reason = WaitReason.ACCOUNT_PAUSED if refused else WaitReason.PROVIDER_ERROR
        said = self._store_ref(job, str(job.ref), poll_at, Wait(reason=reason, until=poll_at, basis=poll_text(error)))
        return f"account refused ({error.kind}), {said}" if refused else said

    def _answered(self, job: Job, answer: Done | Accepted) -> str:
        """Nothing may fail between the answer and its being stored, so this is repeated until the invocation ends."""
        with self.patience.paid():
            if isinstance(answer, Accepted):
                return self._store_ref(job, answer.ref, self.clock() + answer.poll_after, None)
            try:
                outputs = self.ledger.store(job, answer.files)
            except Unavailable as error:
                return self._not_stored(job, error)
            return self.ledger.record(job, outputs, answer.request_id)

    def _not_stored(self, job: Job, error: Unavailable) -> str:
        """A result that is still at its provider is fetched again. Any other is lost, and the ledger says so."""
        failed = ProviderError(FailureKind.NOT_STORED, _LOST.format(cause=error.cause), charged=Charged.YES)
        if job.ref is None:
            return self.failures.record(job, failed)
        log_failure(job, failed, "not stored yet")
        return self._poll_later(job, NOT_YET_STORED, again=_POLL_AGAIN)

    def _poll_later(self, job: Job, basis: str, *, again: float) -> str:
        """The function itself could not do its part: the provider is polled `again` seconds later."""
        poll_at = self.clock() + again
        wait = Wait(reason=WaitReason.SERVICE_BUSY, until=poll_at, basis=basis)
        return self._store_ref(job, str(job.ref), poll_at, wait)

    def _store_ref(self, job: Job, ref: str, poll_at: float, wait: Wait | None) -> str:
        applied = self.ledger.apply(job, after_reference(job, ref=ref, poll_at=poll_at, wait=wait))
        return applied.said if applied else "superseded"
