"""Makes the job of a submission, with its route and its price; it is not written here."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass

from msgspec.structs import replace

from longplay.domain.availability import not_offered
from longplay.domain.catalogue import Catalogue, Model
from longplay.domain.job import Job, Status
from longplay.domain.request import Submission
from longplay.domain.settings import Settings
from longplay.engine.routing import Routing
from longplay.storage.cache import ResultCache
from longplay.storage.files import input_key
from longplay.storage.table import new_token


@dataclass(frozen=True, kw_only=True)
class NewJobs:
    """Makes jobs."""

    routing: Routing
    cache: ResultCache
    catalogue: Catalogue
    settings: Settings

    def make(self, owner: str, submission: Submission, *, seed: str | None, now: float) -> Job:
        """The job; the same owner and seed always give the same id. Raises ModelUnavailable.

        `now` is in epoch seconds.
        """
        request = submission.request
        model = self._model(request.model)
        deadline = now + (submission.deadline_seconds or self.settings.default_deadline)
        job = Job(
            id=derived_id(owner, seed),
            incarnation=secrets.token_hex(4),
            file_token=secrets.token_urlsafe(16),
            owner=owner,
            status=Status.QUEUED,
            request=request,
            created_at=now,
            deadline=deadline,
            expires_at=int(deadline) + self.settings.retention,
            body_hash=submission.body_hash,
            token=new_token(),
            leg=self.routing.first(model, request),
            max_price_usd=self.routing.max_price_usd(model, request),
            not_before=now,
            due_at=now + self.settings.resend_after,
            max_charges=submission.max_charges,
            cache_key=self.cache.key(owner, request.fingerprint),
            tags=submission.tags,
            webhook=submission.webhook,
        )
        return replace(job, input_key=_input_key(job))

    def _model(self, name: str) -> Model:
        """A model by name. The model of an old job may not be offered any more."""
        model = self.catalogue.models.get(name)
        if model is None or not self.catalogue.offers(model):
            raise not_offered(name, self.catalogue)
        return model


def derived_id(owner: str, seed: str | None) -> str:
    """An id that the same owner and seed always give, or a random one."""
    digest = hashlib.sha256(f"{owner}|{seed}".encode()).digest() if seed else secrets.token_bytes(16)
    return base64.b32encode(digest[:16]).decode().rstrip("=").lower()


def _input_key(job: Job) -> str | None:
    return input_key(job.folder, job.request.image_sha256) if job.request.image_sha256 else None
