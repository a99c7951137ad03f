"""A provider's callback or notice: a hint that something has happened, which is then asked for with our own token."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from longplay.domain.catalogue import Catalogue
from longplay.domain.errors import CallbackUnknown
from longplay.domain.job import Job
from longplay.providers.protocol import PolledProvider, Provider
from longplay.storage.jobs import JobTable, Refused
from longplay.storage.queue import JobQueue

LARGEST_BODY = 1024 * 1024  # bytes; a larger callback is heard, but not read
_ATTEMPT = re.compile(r"([a-z0-9]{1,60})-([0-9]{1,9})")  # how `Call.attempt` names a job and its fence
_APART = 5.0  # seconds between two polls of one job, whoever calls back how often


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """Takes callbacks and notices. `clock` gives epoch seconds."""

    jobs: JobTable
    queue: JobQueue
    providers: Mapping[str, Provider]
    catalogue: Catalogue
    clock: Callable[[], float] = time.time

    def hear(self, provider: str, job_id: str, secret: str, body: bytes) -> str:
        """Have the job's provider asked soon, and say in a word what was done.

        The body is believed in one thing alone: the reference, where the worker died before storing it. Raises
        CallbackUnknown unless `secret` is that of one of the job's attempts at this provider.
        """
        job, index = self._attempt(provider, job_id, secret)
        if index != len(job.attempts) - 1:
            return "too late"
        return self._heed(job, provider, body)

    def notice(self, provider: str, attempt: str, body: bytes) -> str:
        """The same for what comes through the account's own topics, and names the attempt as `Call.attempt` did.

        Whoever may publish there may have a provider asked; a reference is stored only for the very attempt named.
        """
        named = _ATTEMPT.fullmatch(attempt)
        job = self.jobs.find(named[1]) if named else None
        if named is None or job is None or not self._is_at(job, provider):
            return "unknown"
        if job.ref is None and job.fence != int(named[2]):
            return "too late"
        return self._heed(job, provider, body)

    def _heed(self, job: Job, provider: str, body: bytes) -> str:
        """Follow a hint about the job's last attempt, however its worker moves the job meanwhile."""
        seen: Job | None = job
        while seen is not None and seen.due_at is not None and len(seen.attempts) == len(job.attempts):
            try:
                return self._follow_up(seen, len(job.attempts) - 1, self.providers[provider], body)
            except Refused as refused:
                if refused.job is None or refused.job.token == seen.token:
                    return "known already"
                seen = refused.job
        return "too late"

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

    def _follow_up(self, job: Job, index: int, provider: Provider, body: bytes) -> str:
        now = self.clock()
        if job.ref is not None:
            sooner = max(now, (job.polled_at or 0) + _APART)
            self.jobs.nudge(job, index, sooner=sooner)
            return self._ask(job, sooner, now=now)
        ref = _reference(provider, body)
        if ref is None:
            return "no reference"
        self.jobs.learn_ref(job, index, ref, now=now)
        return self._ask(job, now, now=now)

    def _ask(self, job: Job, when: float, *, now: float) -> str:
        self.queue.send(replace(job, not_before=when), now=now)
        return "asking"


def _reference(provider: Provider, body: bytes) -> str | None:
    if len(body) > LARGEST_BODY or not isinstance(provider, PolledProvider):
        return None
    return provider.reference_in(body)
