"""Jobs that wait for the result of another job with the same request: copy it, wait on, or take the lead."""

from __future__ import annotations

from dataclasses import dataclass

from longplay.domain.decisions import copy_result, follow_on, without_budget
from longplay.domain.errors import NotAdmitted
from longplay.domain.job import Job
from longplay.engine.admission import Admission
from longplay.engine.ledger import Ledger
from longplay.storage.cache import Entry, ResultCache
from longplay.storage.files import ResultBucket
from longplay.storage.jobs import Refused
from longplay.storage.table import WriteRefused


@dataclass(frozen=True, kw_only=True)
class Followers:
    """Takes a waiting follower one step further."""

    ledger: Ledger
    bucket: ResultBucket
    cache: ResultCache
    admission: Admission

    def look(self, job: Job, *, now: float) -> str:
        """Look how far the leader is, and say in a word what was done."""
        while True:
            try:
                return self._look(job, now=now)
            except Refused:
                return "left alone"  # another delivery of the message was faster
            except WriteRefused:
                pass  # the leader has ended since the look

    def _look(self, job: Job, *, now: float) -> str:
        entry = self.cache.entry(str(job.cache_key))
        if entry and entry.outputs and (copies := self.bucket.copy(entry.outputs, job.folder)):
            applied = self.ledger.apply(job, copy_result(copies))
            return applied.said if applied else "left alone"
        if entry and not entry.outputs and entry.until > now:
            return self._follow(job, entry, now=now)
        return self._lead(job, entry.leader if entry else "", now=now)

    def _lead(self, job: Job, dead: str, *, now: float) -> str:
        try:
            entry = self.admission.promote(job, dead=dead, now=now)
        except NotAdmitted as refused:
            applied = self.ledger.apply(job, without_budget(refused))
            return applied.said if applied else "left alone"
        return self._follow(job, entry, now=now) if entry else "takes the lead"

    def _follow(self, job: Job, entry: Entry, *, now: float) -> str:
        decision = follow_on(job, entry.leader, now=now)
        joins = self.cache.follow(job, entry) if entry.leader != job.follows else []
        self.ledger.write(decision, seen=job, now=now, beside=joins)
        return decision.said
