"""The sweeper: finds open jobs whose time has come and sees that each of them goes on or ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from longplay.domain.errors import LongplayError
from longplay.domain.job import Job, JobError, combined_charge
from longplay.domain.settings import Settings
from longplay.engine.outcomes import Outcomes
from longplay.storage.jobs import DueJob, JobTable, Refused
from longplay.storage.queue import JobQueue, first_look

MOST_LOOKED_AT = 1_000  # due jobs a run looks at
MOST_RESENT = 100  # messages a run repeats for jobs that merely wait for a free worker
LONGEST_STEP = 1_800  # seconds


@dataclass(kw_only=True)
class Sweeper:
    """Sees to the open jobs that are due: move, then send; or fail what is overdue. `clock` gives epoch seconds."""

    jobs: JobTable
    queue: JobQueue
    outcomes: Outcomes
    settings: Settings
    clock: Callable[[], float] = time.time
    resent: int = 0

    def sweep(self) -> int:
        """See to every due job; returns how many there were. Raises an ExceptionGroup of what went wrong with some."""
        now, self.resent = self.clock(), 0
        due = list(self.jobs.due(now, limit=MOST_LOOKED_AT))
        if failures := [failure for entry in due if (failure := self._see_to(entry, now))]:
            raise ExceptionGroup(f"{len(failures)} of {len(due)} due jobs could not be seen to", failures)
        return len(due)

    def _see_to(self, due: DueJob, now: float) -> Exception | None:
        """What went wrong, if anything did: no job may keep the sweeper from the others."""
        try:
            job = self.jobs.find(due.id)
            if job is not None and job.due_at == due.due_at:
                self._attend(job, due, now)
        except Refused:
            return None
        except (LongplayError, ClientError, BotoCoreError, msgspec.ValidationError) as error:
            error.add_note(f"job {due.id}")
            return error
        return None

    def _attend(self, job: Job, due: DueJob, now: float) -> None:
        if job.crashed(now):
            self._resume(job, due, now)
        elif job.deadline <= now and not job.status.finished:
            self.outcomes.fail_overdue(job, _overdue(job))
        else:
            self._send_on(job, due, now)

    def _resume(self, job: Job, due: DueJob, now: float) -> None:
        if self.outcomes.recover(job) is None:
            self.jobs.move(due, due_at=self._next_look_after_crash(job, now))
            self.queue.send(job, now=now)

    def _next_look_after_crash(self, job: Job, now: float) -> float:
        """A call that may yet call back is waited for, but neither by its reference nor past its job's deadline."""
        look = now + self.settings.resend_after
        grace = max(look, job.grace_ends) if job.ref is None else look
        return min(grace, job.deadline) if now < job.deadline else look

    def _send_on(self, job: Job, due: DueJob, now: float) -> None:
        """Move, then send. What a run must pass over is due again soon, and before all that is due later."""
        first = now < job.not_before + self.settings.resend_after
        sends = first or self.resent < MOST_RESENT
        again = due.due_at + self.settings.resend_after
        self.jobs.move(due, due_at=self._next_look(job, now) if sends else again)
        if sends:
            self.resent += not first
            self.queue.send(job, now=now)

    def _next_look(self, job: Job, now: float) -> float:
        """A step that doubles with the time the job has been waiting, and never passes its deadline."""
        waited = now - job.not_before
        if waited < 0:
            return first_look(job, now=now, resend_after=self.settings.resend_after)
        step = now + min(max(waited, self.settings.resend_after), LONGEST_STEP)
        return step if job.status.finished else min(job.deadline, step)


def _overdue(job: Job) -> JobError:
    waited = f" It was last waiting for this: {job.wait.basis}" if job.wait else ""
    return JobError(
        code="deadline_passed",
        message=f"The job's deadline passed before a result came.{waited} Retry it, with a longer "
        "`deadline_seconds` if the provider is slow.",
        retryable=True,
        charged=combined_charge(job),
    )
