"""The use cases of a caller with a batch: send it, read how it stands, list its batches, cancel it."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from msgspec.structs import replace

from longplay.domain.batch_body import BatchOptions, read_lines
from longplay.domain.batches import MOST_OPEN, Batch, Line, RefusedLine, canceled, line_of, with_lines
from longplay.domain.errors import BatchExpired, BatchNotFound, InvalidRequest, KeyReused, TooManyBatches
from longplay.domain.input_images import StoredImage
from longplay.domain.job import Job
from longplay.domain.listing import MOST_LISTED, Position, Wanted
from longplay.domain.request import Submission
from longplay.engine.new_jobs import NewJobs, derived_id
from longplay.http.service import NO_BATCH, Service
from longplay.storage.batches import Batches, BatchFiles, Index
from longplay.storage.budgets import Budgets
from longplay.storage.files import ResultBucket, input_key
from longplay.storage.outbox import OutboxQueue
from longplay.storage.table import new_token

MOST_STORED = 20  # different images of uploads and jobs in one batch, since each of them is read and checked at once
_SENT_BY_NOW = 2.0  # seconds after which a replayed batch is sent again: its first message may have been lost


@dataclass(frozen=True, kw_only=True)
class CreatedBatch:
    """A batch that a request has made, or that an equal request made before (`replayed`)."""

    batch: Batch
    replayed: bool = False


@dataclass(frozen=True, kw_only=True)
class BatchPage:
    """Some of an owner's batches, newest first; `last` is where the next page begins, None if there is none."""

    batches: tuple[Batch, ...]
    last: Position | None


@dataclass(frozen=True, kw_only=True)
class BatchService:
    """The use cases of batches. `clock` gives epoch seconds, `resend_after` is in seconds."""

    service: Service
    batches: Batches
    files: BatchFiles
    bucket: ResultBucket
    queue: OutboxQueue
    new_jobs: NewJobs
    budgets: Budgets
    resend_after: float
    clock: Callable[[], float] = time.time

    def create(self, owner: str, body: bytes, options: BatchOptions, *, key: str | None) -> CreatedBatch:
        """Check every line, then create the batch and send it on its way, or find the one this key has made before.

        Raises InvalidRequest with the faults of all lines, TooLarge, KeyReused, TooManyBatches and Paused.
        """
        batch = self._new(owner, _hash_of(body, options), options, key)
        if earlier := self._made_before(batch) if key else None:
            return earlier
        self.service.switch.check()
        self._check_open(owner)
        results, custom_ids = read_lines(body, _Reader(self, batch).line, skip=options.skip)
        lines = [result for result in results if isinstance(result, Line)]
        refused = [result for result in results if isinstance(result, RefusedLine)]
        batch = with_lines(replace(batch, total=len(results), refused=len(refused)), lines)
        self.files.store(batch, lines, Index(custom_ids=custom_ids, refused=refused))
        if found := self.batches.create(batch, now=batch.created_at):
            return self._replay(found, batch.body_hash)
        self.queue.send(batch, now=batch.created_at)
        return CreatedBatch(batch=batch)

    def find(self, owner: str, batch_id: str) -> Batch:
        """The owner's batch; raises BatchNotFound (a foreign id answers as an unknown one) or BatchExpired."""
        batch = self.batches.find(batch_id)
        if batch is None or batch.owner != owner:
            raise BatchNotFound(NO_BATCH)
        if batch.expires_at <= self.clock():
            raise BatchExpired("This batch's retention has passed. Its jobs are erased. Send it again.")
        return batch

    def jobs_of(self, batch: Batch, numbers: range) -> dict[int, Job]:
        """The jobs of these lines, by the line's number; a line that is no job is left out."""
        ids = {derived_id(batch.owner, batch.seed(number)): number for number in numbers if number < batch.reach}
        wanted, found = [*ids], dict[int, Job]()
        for begin in range(0, len(wanted), MOST_LISTED):
            jobs = self.service.jobs.find_all(wanted[begin : begin + MOST_LISTED])
            found |= {ids[job_id]: job for job_id, job in jobs.items()}
        return found

    def page(self, owner: str, wanted: Wanted) -> BatchPage:
        """The owner's newest batches that are kept."""
        places = self.batches.of_owner(owner, since=0, after=wanted.after, page=wanted.limit + 1)
        some = [*islice(places, wanted.limit + 1)]
        found = {batch.id: batch for batch in self.batches.find_all([place.job for place in some[: wanted.limit]])}
        kept = [found[place.job] for place in some if place.job in found]
        shown = tuple(batch for batch in kept if batch.expires_at > self.clock())
        return BatchPage(batches=shown, last=some[-2] if len(some) > wanted.limit else None)

    def cancel(self, owner: str, batch_id: str) -> Batch:
        """Let no more lines in, and have the jobs that are not over canceled by the next steps."""
        seen = self.find(owner, batch_id)
        while not seen.canceled:
            now = self.clock()
            if after := self.batches.next(canceled(seen, now=now, resend_after=self.resend_after), seen=seen):
                self.queue.send(after, now=now)
                return after
            seen = self.find(owner, batch_id)
        return seen

    def _new(self, owner: str, body_hash: str, options: BatchOptions, key: str | None) -> Batch:
        now = self.clock()
        deadline = now + options.deadline_seconds
        return Batch(
            id=derived_id(owner, f"batch {key}" if key else None),
            incarnation=secrets.token_hex(4),
            owner=owner,
            created_at=now,
            deadline=deadline,
            expires_at=int(deadline) + self.service.settings.retention,
            body_hash=body_hash,
            token=new_token(),
            total=0,
            not_before=now,
            due_at=now + self.resend_after,
        )

    def _made_before(self, batch: Batch) -> CreatedBatch | None:
        found = self.batches.find(batch.id)
        if found is None or found.expires_at <= self.clock():
            return None
        return self._replay(found, batch.body_hash)

    def _replay(self, found: Batch, body_hash: str) -> CreatedBatch:
        if found.body_hash != body_hash:
            raise KeyReused("This Idempotency-Key came with another batch before. Use a new key for a new batch.")
        if found.due_at is not None and not found.let_in and self.clock() - found.created_at > _SENT_BY_NOW:
            self.queue.send(found, now=self.clock())
        return CreatedBatch(batch=found, replayed=True)

    def _check_open(self, owner: str) -> None:
        """About as many as may be: two requests at once can both find the last place."""
        now = self.clock()
        since = now - self.service.settings.longest_deadline
        places = self.batches.of_owner(owner, since=since, after=None, page=MOST_LISTED)
        recent = self.batches.find_all([place.job for place in islice(places, MOST_LISTED)])
        if sum(1 for batch in recent if batch.closed_at is None and batch.deadline > now) >= MOST_OPEN:
            raise TooManyBatches(
                f"{MOST_OPEN} of your batches still let lines in, which is the limit. Send it again when one has ended "
                "or is canceled. Nothing was created or charged.",
                retry_after=60,
            )


class _Reader:
    """Makes lines of a batch of their members. An image is stored at once, for the job that the line will be."""

    def __init__(self, service: BatchService, batch: Batch) -> None:
        self._of = service
        self._batch = batch
        self._images: dict[StoredImage, Submission] = {}

    def line(self, number: int, members: Mapping[str, Any], custom_id: str | None) -> Line:
        """The line; raises the Problem for which it can never become a job."""
        submission = self._stored(self._of.service.submission_of(members))
        job = self._of.new_jobs.make(self._batch.owner, submission, seed=None, now=self._batch.created_at)
        if never := self._of.budgets.never_admits(job, now=self._batch.created_at):
            raise never
        return line_of(number, submission, job, custom_id=custom_id)

    def _stored(self, submission: Submission) -> Submission:
        """The submission with its image in the batch's folder."""
        stored = submission.stored
        if stored is None:
            return self._put(submission)
        if stored not in self._images:
            if len(self._images) == MOST_STORED:
                raise InvalidRequest(
                    "image",
                    f"`image` is one more than the {MOST_STORED} different uploads and jobs whose images one batch can "
                    "start from. Send another batch.",
                )
            self._images[stored] = self._put(self._of.service.loaded(self._batch.owner, submission))
        sha256 = self._images[stored].request.image_sha256
        return replace(submission, stored=None, request=replace(submission.request, image_sha256=sha256))

    def _put(self, submission: Submission) -> Submission:
        sha256 = submission.request.image_sha256
        if submission.image is not None and sha256 is not None:
            self._of.bucket.store_input(input_key(self._batch.folder, sha256), submission.image)
        return replace(submission, image=None, stored=None)


def _hash_of(body: bytes, options: BatchOptions) -> str:
    return hashlib.sha256(repr(options).encode() + body).hexdigest()
