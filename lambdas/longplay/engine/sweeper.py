"""The sweeper: finds the open jobs that are due, and has each go on or end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from longplay.domain import changes
from longplay.domain.decisions import call_due_after_crash, erase_again, watch, when_due
from longplay.domain.errors import LongplayError
from longplay.domain.job import Job
from longplay.domain.phases import STEPS, Event, Step
from longplay.engine.ledger import Ledger
from longplay.engine.recovery import Recovery
from longplay.storage.jobs import DueJob, JobTable

MOST_WAITING = 1_000  # due jobs that a run looks at although they only wait for a free worker
LONGEST_RUN = 40.0  # seconds after which a run leaves the rest to the next one
MOST_RESENT = 100  # messages a run repeats for jobs that only wait for a free worker


@dataclass(kw_only=True)
class Sweeper:
    """Moves each due job along the index, then sends its message; fails the overdue ones. `clock`: epoch seconds."""

    jobs: JobTable
    ledger: Ledger
    recovery: Recovery
    resend_after: float
    clock: Callable[[], float] = time.time
    resent: int = 0

    def sweep(self) -> int:
        """Look at every due job and return their number. Raises an ExceptionGroup of the failures."""
        now, self.resent = self.clock(), 0
        due = takewhile(lambda _: self.clock() < now + LONGEST_RUN, self.jobs.due(now, most_waiting=MOST_WAITING))
        looks = [self._look_at(entry, now) for entry in due]
        if failures := [failure for failure in looks if failure]:
            raise ExceptionGroup(f"{len(failures)} of {len(looks)} due jobs could not be seen to", failures)
        return len(looks)

    def _look_at(self, due: DueJob, now: float) -> Exception | None:
        """The failure, if there was one: no job keeps the sweeper from the others."""
        try:
            job = self.jobs.find(due.id)
            if job is not None and job.due_at == due.due_at:
                self._attend(job, due, now)
        except (LongplayError, ClientError, BotoCoreError, msgspec.ValidationError) as error:
            error.add_note(f"job {due.id}")
            return error
        return None

    def _attend(self, job: Job, due: DueJob, now: float) -> None:
        match STEPS[job.phase(now)][Event.DUE]:
            case Step.RESOLVE_CRASH:
                if self.recovery.resolve(job) is None:
                    self.ledger.apply(job, call_due_after_crash(due.due_at, resend_after=self.resend_after))
            case Step.SEND_AGAIN:
                self._send_again(job, due, now)
            case Step.WATCH:
                self.ledger.apply(job, watch(due.due_at))
            case Step.ERASE:
                if moved := self.ledger.apply(job, erase_again(due.due_at, resend_after=self.resend_after)):
                    self.ledger.erase(moved.job)
            case _:
                pass

    def _send_again(self, job: Job, due: DueJob, now: float) -> None:
        """A job past this run's number of messages is due again soon, before all that is due later."""
        first = now < job.not_before + self.resend_after
        sends = first or self.resent < MOST_RESENT
        applied = self.ledger.apply(job, when_due(due.due_at, resend_after=self.resend_after, sends=sends))
        if applied and applied.decision.change is changes.MOVE and sends and not first:
            self.resent += 1
