"""Crashes resolved: the bucket is asked before anything is paid again."""

from __future__ import annotations

from dataclasses import dataclass

from longplay.domain.decisions import after_crash
from longplay.domain.job import Job
from longplay.engine.ledger import Ledger


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """Workers and the sweeper share it."""

    ledger: Ledger

    def resolve(self, job: Job) -> str | None:
        """End a job whose worker crashed, as far as that needs no call. None where a call or a poll is due."""
        if found := self.ledger.bucket.find(job.id, job.fence):
            return self.ledger.record(job, found)
        if after_crash(job, self.ledger.clock()) is None:
            return None
        applied = self.ledger.apply(job, after_crash)
        return applied.said if applied else "superseded"
