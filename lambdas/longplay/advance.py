"""One step of a job: claim it, make its call, and record what came of it. It never sleeps; it lets go instead."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from longplay.catalogue import Catalogue, Route
from longplay.errors import Charged, FailureKind, ProviderError
from longplay.job import Attempt, Job, JobError, combined_charge
from longplay.job_queue import LONGEST_DELAY, JobQueue, Message
from longplay.job_table import JobTable, Refused
from longplay.outcomes import Outcomes, closed
from longplay.providers.protocol import Call, Done, Provider
from longplay.result_bucket import ResultBucket
from longplay.retries import retry_wait
from longplay.settings import Settings

STORING = 15  # seconds kept back from a call, to store what it brings
SENT_EARLY = 300  # seconds before a far slot at which the sweeper sends its message


@dataclass(frozen=True, kw_only=True)
class Worker:
    """Takes jobs one step further. `clock` gives epoch seconds."""

    jobs: JobTable
    queue: JobQueue
    bucket: ResultBucket
    outcomes: Outcomes
    providers: Mapping[str, Provider]
    catalogue: Catalogue
    settings: Settings
    clock: Callable[[], float] = time.time

    def advance(self, message: Message, *, remaining: float) -> str:
        """Take the job one step further within `remaining` seconds, and say in a word what happened."""
        now = self.clock()
        lease = now + remaining + self.settings.lease_margin
        try:
            job = self.jobs.claim(message.job, route=message.route, now=now, lease=lease)
        except Refused as refused:
            return self._not_claimed(refused.job, now=now, lease=lease, remaining=remaining)
        return self._work(job, remaining=remaining)

    def _not_claimed(self, job: Job | None, *, now: float, lease: float, remaining: float) -> str:
        """A message the claim refused: either its job's worker crashed, or somebody else has the job in hand."""
        if job is None or not job.crashed(now):
            return "left alone"
        try:
            return self.outcomes.recover(job) or self._work(self._take_over(job, now, lease), remaining=remaining)
        except Refused:
            return "left alone"

    def _take_over(self, job: Job, now: float, lease: float) -> Job:
        return self.jobs.take_over(job, closed(job, now=now, outcome="crashed"), now=now, lease=lease)

    def _work(self, job: Job, *, remaining: float) -> str:
        with tempfile.TemporaryDirectory() as folder:
            try:
                done = self._call(job, remaining=remaining, folder=Path(folder))
            except ProviderError as error:
                return self._give_back(job, error)
            return self.outcomes.keep(job, self.bucket.store(job.id, job.fence, done.files), done.request_id)

    def _call(self, job: Job, *, remaining: float, folder: Path) -> Done:
        route = self._route(job)
        request = job.request
        call = Call(
            kind=request.kind,
            model=route.model,
            url=self.settings.server_url(route.server, route.model) or "",
            style=route.style,
            prompt=request.text,
            parameters=request.parameters,
            image=self.bucket.input(job.id, request.image_sha256) if request.image_sha256 else None,
            timeout=min(route.timeout_seconds, self.settings.longest_call, remaining - STORING),
            folder=folder,
        )
        return self.providers[route.provider].submit(call)

    def _route(self, job: Job) -> Route:
        model = self.catalogue.models.get(job.request.model)
        route = model.route(job.route) if model else None
        if route is None or self.settings.server_url(route.server, route.model) is None:
            raise ProviderError(FailureKind.NOT_SERVED, f"The route {job.route} to {job.request.model} is gone.")
        return route

    def _give_back(self, job: Job, error: ProviderError) -> str:
        """The call brought no result: wait and try again, go another route, or fail."""
        now = self.clock()
        ended = closed(job, now=now, outcome=error.kind, charged=error.charged, request_id=error.request_id)
        after = self._after(job, ended, error, now=now)
        try:
            return self._release(after) if after else self._fail(job, ended, error, now=now)
        except Refused:
            return self.outcomes.close(job, ended)

    def _after(self, job: Job, ended: Attempt, error: ProviderError, *, now: float) -> Job | None:
        """The job as it goes back into the line; None when it is not to be tried again."""
        charges = job.charges - (error.charged is Charged.NO)
        released = replace(job, charges=charges, attempts=_folded(job.attempts[:-1], ended))
        wait = retry_wait(released, error, now=now)
        if wait:
            return replace(released, wait=wait, not_before=wait.until)
        route = self._next_route(job) if error.kind is FailureKind.NOT_SERVED else None
        return replace(released, route=route.name, price_usd=route.price_usd, not_before=now) if route else None

    def _next_route(self, job: Job) -> Route | None:
        model = self.catalogue.models.get(job.request.model)
        tried = {attempt.route for attempt in job.attempts}
        routes = model.routes if model else ()
        return next(
            (
                route
                for route in routes
                if route.name not in tried and self.settings.server_url(route.server, route.model)
            ),
            None,
        )

    def _release(self, job: Job) -> str:
        """Let go first, then send the one message that brings the job back; a far slot is the sweeper's to send."""
        delay = job.not_before - self.clock()
        near = delay <= LONGEST_DELAY
        due_at = job.not_before + self.settings.resend_after if near else job.not_before - SENT_EARLY
        self.jobs.release(job, due_at=due_at)
        if near:
            self.queue.send(job.id, job.route, owner=job.owner, delay=delay)
        return f"waits: {job.wait.reason}" if job.wait else f"goes on by {job.route}"

    def _fail(self, job: Job, ended: Attempt, error: ProviderError, *, now: float) -> str:
        attempts = (*job.attempts[:-1], ended)
        self.jobs.fail(job, _job_error(replace(job, attempts=attempts), error), ended, now=now)
        return f"failed: {error.kind}"


def _folded(earlier: tuple[Attempt, ...], ended: Attempt) -> tuple[Attempt, ...]:
    """The ledger with `ended` at its end; uncharged repeats on one route are one entry."""
    last = earlier[-1] if earlier else None
    if last is None or (last.route, last.charged, ended.charged) != (ended.route, Charged.NO, Charged.NO):
        return (*earlier, ended)
    return (*earlier[:-1], replace(ended, started_at=last.started_at, tries=last.tries + ended.tries))


def _job_error(job: Job, error: ProviderError) -> JobError:
    return JobError(
        code=error.kind,
        message=error.message,
        retryable=error.kind not in (FailureKind.BAD_INPUT, FailureKind.MODERATED),
        charged=combined_charge(job),
    )
