"""A call that brought no result: its job waits and tries again, goes another route, or fails."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from longplay.domain.catalogue import Route
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.domain.job import Attempt, Job, JobError, Wait, WaitReason, combined_charge
from longplay.domain.retry import HOPELESS, LONGEST_BACKOFF, goes_on, retry_wait
from longplay.domain.settings import Settings
from longplay.engine.outcomes import NOT_CALLED, Outcomes, ended
from longplay.engine.routing import Routes
from longplay.storage.circuits import Circuits, pauses
from longplay.storage.jobs import JobTable, Refused
from longplay.storage.limiter import Limiter
from longplay.storage.queue import JobQueue, first_look
from longplay.storage.timings import FROM_CATALOGUE

_REFUSED_FOR_NOW = (FailureKind.THROTTLED, FailureKind.LOADING)


@dataclass(frozen=True, kw_only=True)
class Failures:
    """Decides by the kind of failure (see `retries.py`) and writes it down. `clock` gives epoch seconds."""

    jobs: JobTable
    queue: JobQueue
    limiter: Limiter
    outcomes: Outcomes
    routes: Routes
    circuits: Circuits
    settings: Settings
    clock: Callable[[], float] = time.time

    def give_back(self, job: Job, error: ProviderError) -> str:
        """The call failed."""
        now, error = self.clock(), _as_far_as_known(job, error)
        closed = ended(job, now=now, outcome=error.kind, charged=error.charged, request_id=error.request_id)
        self.circuits.note(error, account=job.account, model=job.request.model, route=job.route)
        after = self._after(closed, error, now=now)
        came = self._let_go(after, closed) if after else self._fail(closed, error)
        return f"account refused ({error.kind}), {came}" if pauses(error) else came

    def call_off(self, job: Job, wait: Wait) -> str:
        """The call was not made: the attempt that was entered for it goes, and the job waits."""
        now = self.clock()
        uncalled = replace(job, charges=job.charges - 1, attempts=job.attempts[:-1], wait=wait, not_before=wait.until)
        way = self.routes.onward(job) if wait.reason is WaitReason.ACCOUNT_PAUSED else None
        after = self._moved(uncalled, way, now=now) if way else uncalled
        return self._let_go(after, ended(job, now=now, outcome=NOT_CALLED, charged=Charged.NO))

    def give_up(self, job: Job) -> str:
        """A queued job that its caller allows no further call: what might have called back has not."""
        last = job.attempts[-1]
        said = job.wait.basis if job.wait else "The call's outcome was not learned."
        error = JobError(code=last.outcome, message=said, retryable=True, charged=combined_charge(job))
        self.outcomes.fail(job, error)
        return f"failed: {last.outcome}"

    def _after(self, job: Job, error: ProviderError, *, now: float) -> Job | None:
        """The job as it goes back into the line; None when it is not to be tried again."""
        charges = job.charges - (error.charged is Charged.NO)
        released = replace(job, charges=charges, attempts=_folded(job.attempts))
        if _may_call_back(job, error, now=now):
            return self._patient(released, error)
        if goes_on(released, error, self.settings.failover) and (route := self.routes.onward(job)):
            return self._moved(released, route, now=now)
        if wait := retry_wait(released, error, now=now):
            return self._waiting(released, wait, error, began=job.attempts[-1].started_at)
        return self._back(released, error, now=now)

    def _patient(self, job: Job, error: ProviderError) -> Job:
        """The call's answer was lost, and its provider may yet say itself what became of it."""
        wait = Wait(reason=WaitReason.PROVIDER_ERROR, until=min(job.grace_ends, job.deadline), basis=error.message)
        return replace(job, wait=wait, not_before=wait.until, slot=None)

    def _back(self, job: Job, error: ProviderError, *, now: float) -> Job | None:
        """The job on a way it left because that was busy or refused, where this one leads nowhere."""
        way = self.routes.back(job) if error.kind in HOPELESS and job.may_be_charged() else None
        if way is None:
            return None
        wait = Wait(reason=WaitReason.PROVIDER_ERROR, until=now + LONGEST_BACKOFF, basis=error.message)
        return replace(self._moved(job, way, now=now), wait=wait, not_before=wait.until)

    def _waiting(self, job: Job, wait: Wait, error: ProviderError, *, began: float) -> Job:
        """The job with its wait. A call refused for now keeps its slot, and the whole line moves back with it."""
        until = wait.until
        if job.slot is not None and error.kind in _REFUSED_FOR_NOW and self.limiter.paces(job.account):
            until = self.limiter.push(job.account, job.slot, began=began, now=self.clock(), until=until)
            return replace(job, wait=replace(wait, until=until), not_before=until)
        return replace(job, wait=wait, not_before=until, slot=None)

    def _moved(self, job: Job, route: Route, *, now: float) -> Job:
        return replace(
            job,
            route=route.name,
            account=self.settings.account_of(route.server),
            queue=route.queue,
            callback_grace=route.callback_grace,
            price_usd=self.routes.price_usd(job, route),
            typical_seconds=route.typical_seconds,
            typical_basis=FROM_CATALOGUE,
            not_before=now,
            slot=None,
            wait=None,
        )

    def _let_go(self, after: Job, closed: Job) -> str:
        """Release first, then send the one message that brings the job back; `closed` is for one that has ended."""
        now = self.clock()
        due_at = first_look(after, now=now, resend_after=self.settings.resend_after)
        try:
            self.jobs.release(replace(after, due_at=due_at))
        except Refused:
            return self.outcomes.close(closed)
        self.queue.send(after, now=now)
        return f"waits: {after.wait.reason}" if after.wait else f"goes on by {after.route}"

    def _fail(self, job: Job, error: ProviderError) -> str:
        try:
            self.outcomes.fail(job, _job_error(job, error))
        except Refused:
            return self.outcomes.close(job)
        return f"failed: {error.kind}"


def _may_call_back(job: Job, error: ProviderError, *, now: float) -> bool:
    """Whether a call whose answer was lost may have been taken, by a provider that tells when it is done."""
    return error.charged is Charged.UNKNOWN and job.ref is None and job.callback_grace > 0 and now < job.grace_ends


def _as_far_as_known(job: Job, error: ProviderError) -> ProviderError:
    """A reference that a callback told may be another generation's: what this one has cost is not learned by it."""
    if error.charged is Charged.NO and job.attempts[-1].told:
        return ProviderError(error.kind, error.message, charged=Charged.UNKNOWN, request_id=error.request_id)
    return error


def _folded(attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """The ledger; uncharged repeats on one route are one entry."""
    if len(attempts) < 2:
        return attempts
    *earlier, before, last = attempts
    if (before.route, before.charged, last.charged) != (last.route, Charged.NO, Charged.NO):
        return attempts
    return (*earlier, replace(last, started_at=before.started_at, tries=before.tries + last.tries))


def _job_error(job: Job, error: ProviderError) -> JobError:
    return JobError(
        code=error.kind,
        message=error.message,
        retryable=error.kind not in (FailureKind.BAD_INPUT, FailureKind.MODERATED),
        charged=combined_charge(job),
    )
