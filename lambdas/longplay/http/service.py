"""The use cases of callers: submit a job, read it, fetch its files, cancel, retry or delete it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from longplay.domain.catalogue import Catalogue
from longplay.domain.decisions import when_canceled, when_deleted
from longplay.domain.errors import (
    InvalidRequest,
    JobExpired,
    JobNotFound,
    KeyReused,
    ModelUnavailable,
    NotAdmitted,
    NotFinished,
    NotRetryable,
    OutputNotFound,
    Paused,
    Unavailable,
)
from longplay.domain.input_images import StoredImage
from longplay.domain.job import Job, Output, Status
from longplay.domain.request import Submission, parse_submission, submission_of
from longplay.domain.settings import Settings
from longplay.engine.admission import Admission
from longplay.engine.forecast import Forecast
from longplay.engine.ledger import Ledger
from longplay.engine.new_jobs import NewJobs, derived_id
from longplay.http.documents import Peaks, given
from longplay.http.job_view import has_peaks
from longplay.http.uploads import Uploads
from longplay.media.broken import BrokenMedia
from longplay.media.peaks import peaks_of
from longplay.storage.files import ResultBucket
from longplay.storage.jobs import JobTable, Refused
from longplay.storage.switch import Switch

NO_JOB = "There is no job with this id under your key. Check the id; jobs belong to one owner."
NO_BATCH = "There is no batch with this id under your key. Check the id; batches belong to one owner."
NO_FILE = "There is no file behind this link, or not any more: it ends with its job. Ask the one who sent it."
_ERASED_LATER = (
    "The job is deleted and its prompt erased. S3 did not erase its files in time: Longplay tries again until it has, "
    "within minutes. Send the request again to have it try now."
)
_SENT_BY_NOW = 2  # seconds after which a replayed job is sent again: its first message may have been lost


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """A job that a request has made, or that an equal request made before (`replayed`)."""

    job: Job
    replayed: bool = False


@dataclass(frozen=True, kw_only=True)
class Service:
    """The use cases of the HTTP API. `clock` gives epoch seconds."""

    jobs: JobTable
    ledger: Ledger
    bucket: ResultBucket
    uploads: Uploads
    switch: Switch
    admission: Admission
    forecast: Forecast
    new_jobs: NewJobs
    catalogue: Catalogue
    settings: Settings
    clock: Callable[[], float] = time.time

    def parse(self, body: bytes) -> Submission:
        """The submission in a body; raises InvalidRequest, TooLarge and ModelUnavailable."""
        chosen = self.settings
        return parse_submission(
            body,
            self.catalogue,
            longest_deadline=chosen.longest_deadline,
            private_webhooks=chosen.private_webhooks,
        )

    def submission_of(self, members: Mapping[str, Any]) -> Submission:
        """The same for the members of a body; raises InvalidRequest and ModelUnavailable."""
        chosen = self.settings
        return submission_of(
            members,
            self.catalogue,
            longest_deadline=chosen.longest_deadline,
            private_webhooks=chosen.private_webhooks,
        )

    def submit(self, owner: str, submission: Submission, *, key: str | None = None) -> Submitted:
        """Create the job and send it on its way, or find the one this key has created before.

        Raises KeyReused for another body under the key, JobExpired where its job was deleted, InvalidRequest for an
        image that cannot be used, ModelUnavailable where no route leads to the model, NotAdmitted where there is no
        slot or no budget, and Paused.
        """
        return self._once(owner, submission, key, lambda: self._submit(owner, submission, key))

    def _submit(self, owner: str, submission: Submission, key: str | None) -> Submitted:
        submission = self.loaded(owner, submission)
        job = self.new_jobs.make(owner, submission, seed=key, now=self.clock())
        if submission.image is not None and job.input_key is not None:
            self.bucket.store_input(job.input_key, submission.image)
        return self._admit(job, fresh=submission.fresh)

    def loaded(self, owner: str, submission: Submission) -> Submission:
        """The submission with its image, if that is stored; raises InvalidRequest for one that cannot be used."""
        if submission.stored is None:
            return submission
        return submission.showing(self._stored_image(owner, submission.stored))

    def is_cached(self, owner: str, submission: Submission) -> bool:
        """Whether there is a result of an equal request, so that this one is over at once."""
        key = None if submission.fresh else self.admission.cache.key(owner, submission.request.fingerprint)
        entry = self.admission.cache.entry(key) if key else None
        return entry is not None and bool(entry.outputs) and entry.until > self.clock()

    def find(self, owner: str, job_id: str) -> Job:
        """The owner's job; raises JobNotFound (a foreign id answers as an unknown one) or JobExpired."""
        job = self._own(owner, job_id)
        if job.expires_at <= self.clock() or job.deleted is not None:
            raise JobExpired(
                "This job's retention has passed, or it was deleted; its files are erased. Submit it anew."
            )
        return job

    def output_url(self, owner: str, job_id: str, n: str) -> str:
        """A fresh presigned URL of the job's n-th file, from 0; raises OutputNotFound where there is none."""
        job = self.find(owner, job_id)
        if n not in _places(job):
            raise OutputNotFound(f"The job is {job.status} and has {len(job.outputs)} files, counted from 0.")
        return self.presigned(job.outputs[int(n)])

    def peaks(self, owner: str, job_id: str, n: str) -> Peaks:
        """The waveform of the job's n-th file; raises OutputNotFound where the file has none."""
        job = self.find(owner, job_id)
        output = job.outputs[int(n)] if n in _places(job) else None
        if output is None or not has_peaks(output):
            raise OutputNotFound("Only a WAV file of up to a minute has a waveform. The file itself has the sound.")
        try:
            found = peaks_of(self.bytes_of(output))
        except BrokenMedia as error:
            raise OutputNotFound(f"This file has no waveform here: {error}.") from error
        return Peaks(duration_seconds=given(output.duration_seconds), peaks=tuple(found))

    def linked_url(self, job_id: str, token: str, n: str) -> str:
        """The same for the link to a file, which is its own permission; raises OutputNotFound for an unknown one."""
        job = self.jobs.find(job_id)
        if job is None or not self._is_linked(job, token) or n not in _places(job):
            raise OutputNotFound(NO_FILE)
        return self.presigned(job.outputs[int(n)])

    def _is_linked(self, job: Job, token: str) -> bool:
        known = secrets.compare_digest(job.file_token.encode(), token.encode(errors="replace"))
        return bool(job.file_token) and known and job.deleted is None and job.expires_at > self.clock()

    def presigned(self, output: Output) -> str:
        """A URL that fetches the file without a key, for the settings' `url_lifetime`."""
        return self.bucket.url(output, seconds=self.settings.url_lifetime)

    def bytes_of(self, output: Output) -> bytes:
        """The file itself; raises Unavailable."""
        return self.bucket.bytes_of(output.key)

    def standing(self, job: Job, *, just_submitted: bool = False) -> tuple[Job, int | None]:
        """A waiting job with its expected start, and its place in line from 1, as far as it is known."""
        return self.forecast.standing(job, just_submitted=just_submitted)

    def leader_of(self, job: Job) -> Job | None:
        """The job whose result this one waits for, with its expected start."""
        return self.as_leader(self.jobs.find(job.follows) if job.follows else None)

    def as_leader(self, job: Job | None) -> Job | None:
        """The job with its expected start; None if it is over, or is no more."""
        return self.standing(job)[0] if job and not job.status.finished else None

    def cancel(self, owner: str, job_id: str) -> Job:
        """Cancel the job; one that had finished already is returned as it is."""
        job = self.find(owner, job_id)
        if not job.status.finished and self.ledger.apply(job, when_canceled):
            return self.find(owner, job_id)
        return job if job.status.finished else self.find(owner, job_id)

    def retry(self, owner: str, job_id: str) -> Submitted:
        """A new job with the same request; the same one however often it is asked. Raises NotRetryable."""
        job = self.find(owner, job_id)
        if job.status not in (Status.FAILED, Status.CANCELED):
            raise NotRetryable(f"The job is {job.status}; only a failed or canceled one can be retried.")
        again = Submission(
            request=job.request,
            body_hash=job.body_hash,
            max_charges=job.max_charges,
            deadline_seconds=min(job.deadline_seconds, self.settings.longest_deadline),
            tags=job.tags,
            webhook=job.webhook,
        )
        seed = f"retry of {job.id}"
        return self._once(owner, again, seed, lambda: self._retry(job, again, seed))

    def _retry(self, job: Job, again: Submission, seed: str) -> Submitted:
        new = replace(self.new_jobs.make(job.owner, again, seed=seed, now=self.clock()), retry_of=job.id)
        if job.input_key and new.input_key:
            self.bucket.copy_input(job.input_key, new.input_key)
        return self._admit(new, fresh=False)

    def delete(self, owner: str, job_id: str) -> None:
        """Erase what was asked and what came of it; raises NotFinished for a job that can still be canceled.

        Raises Unavailable where S3 does not erase the files in time; the sweeper then does.
        """
        job = self._own(owner, job_id)
        deleted = self.ledger.apply(job, when_deleted(resend_after=self.settings.resend_after))
        if deleted is None:
            raise NotFinished(f"The job is {job.status}. Cancel it first, then delete it.")
        try:
            self.ledger.erase(deleted.job)
        except Unavailable as error:
            raise Unavailable(error.cause, _ERASED_LATER) from error

    def _own(self, owner: str, job_id: str) -> Job:
        job = self.jobs.find(job_id)
        if job is None or job.owner != owner:
            raise JobNotFound(NO_JOB)
        return job

    def _admit(self, job: Job, *, fresh: bool) -> Submitted:
        now = self.clock()
        try:
            return Submitted(job=self.admission.admit(job, fresh=fresh, now=now))
        except Refused as refused:
            return self._replay(refused.job or job, job.body_hash, now=now)

    def _stored_image(self, owner: str, stored: StoredImage) -> bytes:
        if stored.upload is not None:
            return self.uploads.image(owner, stored.upload)
        job = self.jobs.find(stored.job or "")
        key = job.input_key if job and job.owner == owner and job.expires_at > self.clock() else None
        image = self.bucket.input_if_kept(key) if key else None
        if image is None:
            raise InvalidRequest(
                "image",
                "`image` names a job that has no input image under your key, or not any more. Send the image itself. "
                "Nothing was created or charged.",
            )
        return image

    def _once(self, owner: str, submission: Submission, seed: str | None, make: Callable[[], Submitted]) -> Submitted:
        """The job that this seed has created before, else a new one: a reason to refuse new jobs refuses no replay.

        The write that creates a job finds a replay. It is looked for first only where an image would be moved.
        """
        if submission.has_image and (earlier := self._made_before(owner, submission, seed)):
            return earlier
        try:
            self.switch.check()
            return make()
        except (NotAdmitted, ModelUnavailable, Paused):
            if earlier := self._made_before(owner, submission, seed):
                return earlier
            raise

    def _made_before(self, owner: str, submission: Submission, seed: str | None) -> Submitted | None:
        now, found = self.clock(), self.jobs.find(derived_id(owner, seed)) if seed else None
        if found is None or found.expires_at <= now:
            return None
        return self._replay(found, submission.body_hash, now=now)

    def _replay(self, found: Job, body_hash: str, *, now: float) -> Submitted:
        if found.body_hash != body_hash:
            raise KeyReused("This Idempotency-Key came with another body before. Use a new key for a new request.")
        if found.deleted is not None:
            raise JobExpired(
                "This request was made before, and its job has been deleted since. Nothing was created or charged now; "
                "to generate it anew, submit it with another Idempotency-Key."
            )
        if found.status is Status.QUEUED and not found.fence and now - found.created_at > _SENT_BY_NOW:
            self.ledger.send_again(found)
        return Submitted(job=found, replayed=True)


def _places(job: Job) -> list[str]:
    """The numbers of its files, as they are written in addresses."""
    return [str(n) for n in range(len(job.outputs))]
