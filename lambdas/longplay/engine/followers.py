"""Jobs that wait for another's result of the same request: take a copy, wait on, or take the lead."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from longplay.domain.job import Job
from longplay.domain.settings import Settings
from longplay.engine.admission import Admission, following
from longplay.engine.outcomes import Outcomes
from longplay.storage.cache import Entry, ResultCache
from longplay.storage.files import ResultBucket
from longplay.storage.jobs import JobTable
from longplay.storage.queue import JobQueue


@dataclass(frozen=True, kw_only=True)
class Followers:
    """Takes a waiting follower one step further. `clock` gives epoch seconds."""

    jobs: JobTable
    queue: JobQueue
    bucket: ResultBucket
    cache: ResultCache
    admission: Admission
    outcomes: Outcomes
    settings: Settings
    clock: Callable[[], float] = time.time

    def look(self, job: Job, *, now: float) -> str:
        """See how far the leader is; raises Refused when another delivery of the message has been here."""
        entry = self.cache.entry(str(job.cache_key))
        if entry and entry.outputs and (copies := self.bucket.copy(entry.outputs, job.id)):
            self.outcomes.keep_copy(replace(job, outputs=copies))
            return "succeeded from the cache"
        if entry and not entry.outputs and entry.until > now:
            return self._follow(job, entry, now=now)
        return self._lead(job, entry.leader if entry else "", now=now)

    def _lead(self, job: Job, dead: str, *, now: float) -> str:
        led, entry = self.admission.promote(job, dead=dead, now=now)
        if entry is not None:
            return self._follow(job, entry, now=now)
        self.queue.send(led, now=now)
        return "takes the lead"

    def _follow(self, job: Job, entry: Entry, *, now: float) -> str:
        waiting = following(job, entry.leader, now=now, resend_after=self.settings.resend_after)
        self.jobs.follow_on(waiting, now=now)
        self.queue.send(waiting, now=now)
        return "waits: coalesced"
