"""Failed calls, and calls that were not made: gathers the facts, has the job's next step decided, and writes it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from longplay.domain.decisions import (
    Decision,
    Routes,
    after_call_off,
    after_failure,
    as_known,
    asks_for_a_wait,
    give_up,
    unless_ended,
    waiting_until,
)
from longplay.domain.errors import Charged, ProviderError
from longplay.domain.job import NOT_CALLED, Job, Wait, WaitReason
from longplay.engine.ledger import Ledger
from longplay.engine.routing import Routing
from longplay.storage.circuits import Circuits, pauses
from longplay.storage.limiter import Limiter
from longplay.storage.patience import Patience

_log = logging.getLogger("longplay.failures")


def log_failure(job: Job, error: ProviderError, what: str) -> None:
    """Write down for the operator what callers are not told: the server, its answer, and what to do about it."""
    facts = f"job {job.id}, model {job.request.model}, route {job.leg.route}, {error.kind}, charged {error.charged}"
    request = f", request {error.request_id}" if error.request_id else ""
    _log.warning("%s (%s%s): %s", what, facts, request, error.message)


@dataclass(frozen=True, kw_only=True)
class Failures:
    """domain/retry.py has a row for each kind of failure."""

    ledger: Ledger
    limiter: Limiter
    routing: Routing
    circuits: Circuits
    patience: Patience

    def record(self, job: Job, error: ProviderError) -> str:
        """The call failed: the job waits, tries again, takes another route, or fails."""
        now, known = self.ledger.clock(), as_known(job, error)
        log_failure(job, known, "call failed")
        self.note(job, known)
        closed = job.closed(now=now, outcome=known.kind, charged=known.charged, request_id=known.request_id)
        decision = after_failure(
            closed,
            known,
            routes=Routes(onward=lambda: self.routing.onward(closed), back=lambda: self.routing.back(closed)),
            failover=self.routing.settings.failover,
            paced=self.limiter.paces(job.leg.account),
            now=now,
        )
        said = self._write(closed, self._pushed(decision, closed, known, now=now))
        return f"account refused ({known.kind}), {said}" if pauses(known) else said

    def note(self, job: Job, error: ProviderError) -> None:
        """Close the route or the account that a refusal is about."""
        leg, model = job.leg, job.request.model
        closed = self.patience.convenience(
            lambda: self.circuits.note(error, account=leg.account, model=model, route=leg.route), otherwise=None
        )
        if closed is not None:
            self.limiter.pause(leg.account, closed)

    def call_off(self, job: Job, wait: Wait, *, seated: bool) -> str:
        """The call was not made: the attempt that was entered for it is taken back, and its seat if it has one."""
        now = self.ledger.clock()
        onward = self.routing.onward(job) if wait.reason is WaitReason.ACCOUNT_PAUSED else None
        closed = job.closed(now=now, outcome=NOT_CALLED, charged=Charged.NO)
        return self._write(closed, after_call_off(job, wait, onward=onward, seated=seated, now=now))

    def give_up(self, job: Job) -> str:
        """A job past its deadline fails, and a due one that is allowed no further call."""
        applied = self.ledger.apply(job, give_up)
        return applied.said if applied else "left alone"

    def _pushed(self, decision: Decision, closed: Job, error: ProviderError, *, now: float) -> Decision:
        """The line moves back as a whole where the provider asks for a wait; a job that keeps its slot waits with it.

        A job that fails because that wait is too long for it moves the line too, or all the others would be refused.
        """
        account, slot, began = closed.leg.account, closed.slot, closed.attempts[-1].started_at
        keeps = decision.send and decision.job.slot is not None
        if slot is None or not self.limiter.paces(account) or not (keeps or asks_for_a_wait(error)):
            return decision
        until = decision.job.not_before if keeps else now + (error.retry_after or 0)
        start = self.patience.convenience(
            lambda: self.limiter.push(account, slot, began=began, now=now, until=until), otherwise=until
        )
        return waiting_until(decision, start) if keeps else decision

    def _write(self, closed: Job, decision: Decision) -> str:
        applied = self.ledger.apply(closed, unless_ended(closed, decision))
        return applied.said if applied else "superseded"
