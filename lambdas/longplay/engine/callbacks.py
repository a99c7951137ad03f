"""A provider's callback or notice: a hint. The provider is then polled with our own token."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from longplay.domain.catalogue import Catalogue
from longplay.domain.decisions import after_callback
from longplay.domain.errors import CallbackUnknown
from longplay.domain.job import Job
from longplay.engine.ledger import Ledger
from longplay.providers.protocol import PolledProvider, Provider
from longplay.storage.jobs import JobTable

LARGEST_BODY = 1024 * 1024  # bytes; a larger callback counts as a hint, but its body is not read
# how `Call.attempt` names a job and its fence: `Job.folder`, which begins with the job's id, then the fence
_ATTEMPT = re.compile(r"(?P<folder>(?P<job>[a-z0-9]{1,60})(-[0-9a-f]{8})?)-(?P<fence>[0-9]{1,9})")


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """Takes callbacks and notices."""

    jobs: JobTable
    ledger: Ledger
    providers: Mapping[str, Provider]
    catalogue: Catalogue

    def receive(self, provider: str, job_id: str, secret: str, body: bytes) -> str:
        """Have the job's provider polled soon, and say in a word what was done.

        The body is believed in one thing alone: the reference, if no worker has stored it. Raises CallbackUnknown
        unless `secret` is the token of one of the job's attempts at this provider.
        """
        job, index = self._attempt(provider, job_id, secret)
        if index != len(job.attempts) - 1:
            return "too late"
        return self._follow(job, provider, body)

    def notice(self, provider: str, attempt: str, body: bytes) -> str:
        """The same for a notice of the account's own topics, which names the attempt as `Call.attempt` does.

        Any publisher there can have a provider polled. A reference is stored only for the attempt that is named.
        """
        named = _ATTEMPT.fullmatch(attempt)
        job = self.jobs.find(named["job"]) if named else None
        if named is None or job is None or job.folder != named["folder"] or not self._is_at(job, provider):
            return "unknown"
        if job.ref is None and job.fence != int(named["fence"]):
            return "too late"
        return self._follow(job, provider, body)

    def _follow(self, job: Job, provider: str, body: bytes) -> str:
        decide = after_callback(len(job.attempts), lambda: _reference(self.providers[provider], body))
        applied = self.ledger.apply(job, decide)
        return applied.said if applied else "nothing new"

    def _is_at(self, job: Job, provider: str) -> bool:
        return bool(job.attempts) and self._provider_of(job, job.attempts[-1].route) == provider

    def _attempt(self, provider: str, job_id: str, secret: str) -> tuple[Job, int]:
        job = self.jobs.find(job_id)
        for index, attempt in enumerate(job.attempts if job else ()):
            known = attempt.token and secrets.compare_digest(attempt.token.encode(), secret.encode())
            if job and known and self._provider_of(job, attempt.route) == provider:
                return job, index
        raise CallbackUnknown("No attempt is waiting for this callback.")

    def _provider_of(self, job: Job, route_name: str) -> str | None:
        model = self.catalogue.models.get(job.request.model)
        route = model.route(route_name) if model else None
        return route.provider if route else None


def _reference(provider: Provider, body: bytes) -> str | None:
    if len(body) > LARGEST_BODY or not isinstance(provider, PolledProvider):
        return None
    return provider.reference_in(body)
