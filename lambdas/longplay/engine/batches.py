"""One step of a batch: lets its next lines in as jobs, or cancels some of its jobs, and says when the next step is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from longplay.domain.batches import (
    STEP,
    UNDONE_AT_ONCE,
    Batch,
    Line,
    Reason,
    RefusedLine,
    closed,
    next_step,
    over,
    progressed,
    refused_line,
    undone,
)
from longplay.domain.decisions import when_canceled
from longplay.domain.errors import LineTooLong, OverDailyBudget, Paused, Problem, TooManyOpenJobs, Unavailable
from longplay.domain.job import Job
from longplay.engine.admission import Admission
from longplay.engine.ledger import Ledger
from longplay.engine.new_jobs import NewJobs, derived_id
from longplay.storage.batches import Batches, BatchFiles
from longplay.storage.files import ResultBucket, input_key
from longplay.storage.jobs import BatchClosed, Refused
from longplay.storage.outbox import Note, OutboxQueue
from longplay.storage.patience import Patience
from longplay.storage.switch import Switch

_PASSING = (LineTooLong, TooManyOpenJobs, OverDailyBudget, Paused, Unavailable)
_LONGEST = 30.0  # seconds of a step; the rest is left to the next one
_LAST = 2.0  # seconds before an invocation ends in which nothing is tried again


@dataclass
class _LetIn:
    """How far a step has come: all lines before `to` are jobs or `refused`, and the next one waits `after` seconds."""

    to: int
    refused: list[RefusedLine] = field(default_factory=list)
    reason: Reason = Reason.LETTING_IN
    after: float = 0.0


@dataclass(frozen=True, kw_only=True)
class BatchSteps:
    """Takes batches one step further. `resend_after` is in seconds; `clock` gives epoch seconds."""

    batches: Batches
    files: BatchFiles
    queue: OutboxQueue
    new_jobs: NewJobs
    admission: Admission
    ledger: Ledger
    bucket: ResultBucket
    switch: Switch
    patience: Patience
    resend_after: float
    clock: Callable[[], float] = time.time

    def advance(self, note: Note, *, remaining: float) -> str:
        """Take the batch one step further within `remaining` seconds, and say in a word what was done.

        A message that another has replaced does nothing, so that no batch is moved by two.
        """
        with self.patience.within(self.clock() + remaining - _LAST):
            batch = self.batches.find(note.name)
            if batch is None or batch.due_at is None or batch.token != note.token:
                return "left alone"
            return self._step(batch)

    def _step(self, batch: Batch) -> str:
        if batch.canceled and batch.undo:
            return self._cancel_jobs(batch)
        if batch.closed_at is None and self.clock() < batch.deadline:
            return self._let_lines_in(batch)
        return self._end(batch)

    # --- letting in ---

    def _let_lines_in(self, batch: Batch) -> str:
        lines = self.files.lines(batch, batch.let_in)
        if lines is None:
            return "left alone"  # another step has let them in since this one read the batch
        try:
            done = self._let_in(batch, [line for line in lines if line.number >= batch.let_in])
        except BatchClosed:
            return "closed in between"
        after = self._write(batch, lambda seen: self._after(seen, lines, done))
        if after is None or after.canceled:
            return "superseded"
        if after.let_in // STEP > batch.let_in // STEP and after.closed_at is None:
            self.patience.convenience(lambda: self.files.erase_lines(batch, batch.let_in), otherwise=None)
        return f"let in {after.let_in} of {after.total}" if after.closed_at is None else self._end(after)

    def _after(self, seen: Batch, lines: Sequence[Line], done: _LetIn) -> Batch:
        now, refused = self.clock(), [line.number for line in done.refused]
        moved = progressed(seen, lines, to=done.to, refused=refused, reason=done.reason)
        if moved.let_in == moved.total:
            return next_step(closed(moved, now=now), after=0.0, now=now, resend_after=self.resend_after)
        return next_step(moved, after=done.after, now=now, resend_after=self.resend_after)

    def _let_in(self, batch: Batch, lines: Sequence[Line]) -> _LetIn:
        done, until = _LetIn(to=batch.reach), self.clock() + _LONGEST
        for line in lines:
            if self.clock() > until:
                done.to = line.number
                return done
            try:
                self._let_one_in(batch, line)
            except _PASSING as problem:
                done.to, done.reason = line.number, Reason(problem.code)
                done.after = problem.retry_after or 0.0
                return done
            except Problem as problem:
                self._refuse(batch, line, problem, done)
        return done

    def _let_one_in(self, batch: Batch, line: Line) -> None:
        """Make the line a job, unless it is one already."""
        self.switch.check()
        now = self.clock()
        job = self._job(batch, line, now)
        if job.input_key and job.request.image_sha256:
            self.bucket.copy_input(input_key(batch.folder, job.request.image_sha256), job.input_key)
        try:
            self.admission.admit(job, fresh=line.submission.fresh, now=now)
        except Refused:
            return

    def _job(self, batch: Batch, line: Line, now: float) -> Job:
        """The job of a line, which is kept as long as its batch."""
        job = self.new_jobs.make(batch.owner, line.submission, seed=batch.seed(line.number), now=now)
        kept_until = max(job.expires_at, batch.expires_at)
        return replace(job, batch=batch.id, custom_id=line.custom_id, expires_at=kept_until)

    def _refuse(self, batch: Batch, line: Line, problem: Problem, done: _LetIn) -> None:
        """The line never becomes a job, unless a step that was cut off has made it one."""
        if self.ledger.jobs.find(derived_id(batch.owner, batch.seed(line.number))) is None:
            refused = refused_line(line.number, problem)
            self.files.refuse(batch, refused)
            done.refused.append(refused)

    # --- the end ---

    def _cancel_jobs(self, batch: Batch) -> str:
        """Cancel the last jobs that are not over, since these have cost the least."""
        numbers = range(max(0, batch.undo - UNDONE_AT_ONCE), batch.undo)
        jobs = self.ledger.jobs.find_all([derived_id(batch.owner, batch.seed(number)) for number in numbers])
        for job in sorted(jobs.values(), key=lambda job: -job.created_at):
            if not job.status.finished:
                self.ledger.apply(job, when_canceled)
        after = self._write(batch, lambda seen: self._next(undone(seen, down_to=numbers.start)))
        return "superseded" if after is None else f"canceled down to line {numbers.start}"

    def _next(self, batch: Batch) -> Batch:
        return next_step(batch, after=0.0, now=self.clock(), resend_after=self.resend_after)

    def _end(self, batch: Batch) -> str:
        """Nothing is let in any more, and what the lines asked for is erased."""
        if batch.closed_at is None:
            shut = self._write(batch, lambda seen: self._next(closed(seen, now=self.clock())), sends=False)
            if shut is None or shut.canceled:
                return "superseded"
            batch = shut
        self.files.erase_all_lines(batch)
        return "over" if self._write(batch, over, sends=False) else "superseded"

    def _write(self, batch: Batch, change: Callable[[Batch], Batch], *, sends: bool = True) -> Batch | None:
        """The batch after this change and with its next message sent; None where its owner has canceled it instead.

        Decided again where the sweeper has moved it in between.
        """
        seen: Batch | None = batch
        while seen is not None and seen.canceled == batch.canceled:
            if after := self.batches.next(change(seen), seen=seen):
                if sends:
                    self.queue.send(after, now=self.clock())
                return after
            seen = self.batches.find(batch.id)
        return None
