"""One step of a job: claim it, make its call, record what came of it. It never sleeps; it lets go instead."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from longplay.admission import RESERVED
from longplay.catalogue import Catalogue, Route
from longplay.errors import Charged, FailureKind, ProviderError
from longplay.followers import Followers
from longplay.job import Attempt, Job, JobError, Status, Wait, WaitReason, combined_charge
from longplay.job_queue import JobQueue, Message, first_look
from longplay.job_table import JobTable, Refused
from longplay.limiter import Limiter
from longplay.outcomes import Outcomes, ended
from longplay.providers.protocol import Call, Done, Provider
from longplay.result_bucket import ResultBucket
from longplay.retries import retry_wait
from longplay.settings import Settings

STORING = 5  # seconds kept back from a call, to store what it brings
_CROWDED = 5.0  # seconds until a job looks again for room among the calls its account allows at once
_REFUSED_FOR_NOW = (FailureKind.THROTTLED, FailureKind.LOADING)


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Takes jobs one step further. `clock` gives epoch seconds."""

    jobs: JobTable
    queue: JobQueue
    bucket: ResultBucket
    limiter: Limiter
    outcomes: Outcomes
    followers: Followers
    providers: Mapping[str, Provider]
    catalogue: Catalogue
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
        return self._work(job, remaining=remaining) if isinstance(job, Job) else job

    def _take(self, message: Message, *, now: float, lease: float) -> Job | str:
        """The job, claimed; or what was done instead where its claim was refused. Raises Refused for nothing to do."""
        try:
            return self.jobs.claim(message.job, route=message.route, now=now, lease=lease)
        except Refused as refused:
            job = refused.job
            if job is None:
                raise
        if job.crashed(now):
            return self.outcomes.recover(job) or self._take_over(job, now=now, lease=lease)
        if job.status is Status.QUEUED and job.follows is not None:
            return self.followers.look(job, now=now)
        raise Refused(job)

    def _take_over(self, job: Job, *, now: float, lease: float) -> Job:
        closed = ended(job, now=now, outcome="crashed").attempts[-1]
        return self.jobs.take_over(job, closed, now=now, lease=lease)

    def _work(self, job: Job, *, remaining: float) -> str:
        try:
            route = self._route(job)
            job, wait = self._due(job)
            if wait:
                return self._let_go(
                    _uncalled(job, wait), ended(job, now=self.clock(), outcome="not called", charged=Charged.NO)
                )
            return self._call(job, route, remaining=remaining)
        except ProviderError as error:
            return self._give_back(job, error)

    def _route(self, job: Job) -> Route:
        model = self.catalogue.models.get(job.request.model)
        route = model.route(job.route) if model else None
        if route is None or self.settings.server_url(route.server, route.model) is None:
            raise ProviderError(FailureKind.NOT_SERVED, f"The route {job.route} to {job.request.model} is gone.")
        return route

    def _due(self, job: Job) -> tuple[Job, Wait | None]:
        """The job with the slot it starts by, and why it must wait all the same."""
        account = job.account
        if not self.limiter.paces(account):
            return job, None
        now = self.clock()
        slot, start = self.limiter.start(account, job.slot, now=now)
        if start > now:
            return replace(job, slot=slot), Wait(reason=WaitReason.PROVIDER_QUOTA, until=start, basis=RESERVED)
        if not self.limiter.call_begins(account, job.id, now=now, until=job.lease or now):
            basis = "As many calls are under way as the provider's account allows."
            return replace(job, slot=None), Wait(reason=WaitReason.CONCURRENCY, until=now + _CROWDED, basis=basis)
        return replace(job, slot=slot), None

    def _call(self, job: Job, route: Route, *, remaining: float) -> str:
        try:
            with tempfile.TemporaryDirectory() as folder:
                done = self._submit(job, route, remaining=remaining, folder=Path(folder))
                return self.outcomes.keep(job, self.bucket.store(job.id, job.fence, done.files), done.request_id)
        except ProviderError as error:
            return self._give_back(job, error)
        finally:
            if self.limiter.paces(job.account):
                self.limiter.call_ends(job.account, job.id)

    def _submit(self, job: Job, route: Route, *, remaining: float, folder: Path) -> Done:
        request = job.request
        call = Call(
            kind=request.kind,
            model=route.model,
            url=self.settings.server_url(route.server, route.model) or "",
            style=route.style,
            prompt=request.text,
            parameters=request.parameters,
            image=self.bucket.input(job.input_key) if job.input_key else None,
            timeout=min(route.timeout_seconds, self.settings.longest_call, remaining - STORING),
            folder=folder,
        )
        return self.providers[route.provider].submit(call)

    def _give_back(self, job: Job, error: ProviderError) -> str:
        """The call brought no result: wait and try again, go another route, or fail."""
        now = self.clock()
        closed = ended(job, now=now, outcome=error.kind, charged=error.charged, request_id=error.request_id)
        after = self._after(closed, error, now=now)
        return self._let_go(after, closed) if after else self._fail(closed, error)

    def _fail(self, job: Job, error: ProviderError) -> str:
        try:
            self.outcomes.fail(job, _job_error(job, error))
        except Refused:
            return self.outcomes.close(job)
        return f"failed: {error.kind}"

    def _after(self, job: Job, error: ProviderError, *, now: float) -> Job | None:
        """The job as it goes back into the line; None when it is not to be tried again."""
        charges = job.charges - (error.charged is Charged.NO)
        released = replace(job, charges=charges, attempts=_folded(job.attempts))
        if wait := retry_wait(released, error, now=now):
            return self._waiting(released, wait, error)
        route = self._next_route(job) if error.kind is FailureKind.NOT_SERVED else None
        if route is None:
            return None
        account = self.settings.account_of(route.server)
        moved = replace(released, route=route.name, account=account, price_usd=route.price_usd)
        return replace(moved, not_before=now, slot=None, wait=None)

    def _waiting(self, job: Job, wait: Wait, error: ProviderError) -> Job:
        """The job with its wait. A call refused for now keeps its slot, and the whole line moves back with it."""
        until = wait.until
        if job.slot is not None and error.kind in _REFUSED_FOR_NOW and self.limiter.paces(job.account):
            until = self.limiter.push(job.account, job.slot, until=until)
            return replace(job, wait=replace(wait, until=until), not_before=until)
        return replace(job, wait=wait, not_before=until, slot=None)

    def _next_route(self, job: Job) -> Route | None:
        model = self.catalogue.models.get(job.request.model)
        tried = {attempt.route for attempt in job.attempts}
        for route in model.routes if model else ():
            if route.name not in tried and self.settings.server_url(route.server, route.model):
                return route
        return None

    def _let_go(self, after: Job, closed: Job) -> str:
        """Release first, then send the one message that brings the job back; `closed` is for one that has ended."""
        now = self.clock()
        due_at = first_look(after.not_before, now=now, resend_after=self.settings.resend_after)
        try:
            self.jobs.release(replace(after, due_at=due_at))
        except Refused:
            return self.outcomes.close(closed)
        self.queue.send(after, now=now)
        return f"waits: {after.wait.reason}" if after.wait else f"goes on by {after.route}"


def _uncalled(job: Job, wait: Wait) -> Job:
    """The job without the attempt that was entered but not made."""
    return replace(job, charges=job.charges - 1, attempts=job.attempts[:-1], wait=wait, not_before=wait.until)


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
