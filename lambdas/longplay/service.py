"""What callers can have done: submit a job, look at it, fetch its files, cancel it."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from longplay.catalogue import Catalogue, Model, Route
from longplay.errors import JobExpired, JobNotFound, KeyReused, NotConfigured, OutputNotFound
from longplay.job import Job, Output, Status
from longplay.job_queue import JobQueue
from longplay.job_table import JobTable, Refused, new_token
from longplay.request import Submission
from longplay.result_bucket import ResultBucket
from longplay.settings import Settings

_SENT_BY_NOW = 2  # seconds after which a replayed job is sent again: its first message may have been lost


@dataclass(frozen=True, kw_only=True)
class Service:
    """The use cases of the HTTP API. `clock` gives epoch seconds."""

    jobs: JobTable
    queue: JobQueue
    bucket: ResultBucket
    catalogue: Catalogue
    settings: Settings
    clock: Callable[[], float] = time.time

    def submit(self, owner: str, submission: Submission, *, key: str | None = None) -> Job:
        """Create the job and send it on its way, or find the one this key has created before.

        Raises KeyReused for another body under the key, NotConfigured where no route leads to the model.
        """
        now = self.clock()
        job = self._new_job(owner, submission, key=key, now=now)
        if submission.image is not None:
            self.bucket.store_input(job.id, str(job.request.image_sha256), submission.image)
        try:
            job = self.jobs.create(job, now=now)
        except Refused as refused:
            return self._replay(refused.job or job, job, now=now)
        self.queue.send(job.id, job.route, owner=owner)
        return job

    def find(self, owner: str, job_id: str) -> Job:
        """The owner's job; raises JobNotFound (a foreign id answers as an unknown one) or JobExpired."""
        job = self.jobs.find(job_id)
        if job is None or job.owner != owner:
            raise JobNotFound("There is no job with this id under your key. Check the id; jobs belong to one owner.")
        if job.expires_at <= self.clock():
            raise JobExpired("This job's retention has passed: its files are erased. Submit it again to have it anew.")
        return job

    def output_url(self, owner: str, job_id: str, n: str) -> str:
        """A fresh presigned URL of the job's n-th file, from 0; raises OutputNotFound where there is none."""
        job = self.find(owner, job_id)
        output = dict(zip(map(str, range(len(job.outputs))), job.outputs, strict=True)).get(n)
        if output is None:
            raise OutputNotFound(f"The job is {job.status} and has {len(job.outputs)} files, counted from 0.")
        return self.presigned(output)

    def presigned(self, output: Output) -> str:
        """A URL that fetches the file without a key, for the settings' `url_lifetime`."""
        return self.bucket.url(output, seconds=self.settings.url_lifetime)

    def cancel(self, owner: str, job_id: str) -> Job:
        """Cancel the job; one that had finished already is returned as it is."""
        job = self.find(owner, job_id)
        try:
            return self.jobs.cancel(job, now=self.clock())
        except Refused as refused:
            return refused.job or job

    def _new_job(self, owner: str, submission: Submission, *, key: str | None, now: float) -> Job:
        route = self._first_route(self.catalogue.models[submission.request.model])
        deadline = now + (submission.deadline_seconds or self.settings.default_deadline)
        return Job(
            id=_job_id(owner, key),
            owner=owner,
            status=Status.QUEUED,
            request=submission.request,
            created_at=now,
            deadline=deadline,
            expires_at=int(deadline) + self.settings.retention,
            body_hash=submission.body_hash,
            token=new_token(),
            route=route.name,
            price_usd=route.price_usd,
            not_before=now,
            due_at=now + self.settings.resend_after,
            max_charges=submission.max_charges,
            tags=submission.tags,
        )

    def _first_route(self, model: Model) -> Route:
        for route in model.routes:
            if self.settings.server_url(route.server, route.model):
                return route
        servers = ", ".join(route.server for route in model.routes)
        raise NotConfigured(
            f"No server is set up for {model.name}. The operator can deploy with one of these in `servers`: {servers}."
        )

    def _replay(self, found: Job, asked: Job, *, now: float) -> Job:
        if found.body_hash != asked.body_hash:
            raise KeyReused("This Idempotency-Key came with another body before. Use a new key for a new request.")
        if found.status is Status.QUEUED and not found.fence and now - found.created_at > _SENT_BY_NOW:
            self.queue.send(found.id, found.route, owner=found.owner, delay=found.not_before - now)
        return found


def _job_id(owner: str, key: str | None) -> str:
    seed = hashlib.sha256(f"{owner}|{key}".encode()).digest() if key else secrets.token_bytes(16)
    return base64.b32encode(seed[:16]).decode().rstrip("=").lower()
