"""Crashes resolved: the bucket is asked before anything is paid again."""

from __future__ import annotations

from dataclasses import dataclass

from longplay.domain.decisions import after_crash
from longplay.domain.job import Job
from longplay.engine.ledger import Ledger


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """Ends or closes jobs whose worker crashed, without a call. Workers and the sweeper use it."""

    ledger: Ledger

    def resolve(self, job: Job) -> str | None:
        """End or close a crashed job if that needs no call: with its result if the bucket has it.

        Returns a word for the log; None if a call or a poll is due.
        """
        if found := self.ledger.bucket.find(job.folder, job.fence):
            return self.ledger.record(job, found)
        if after_crash(job, self.ledger.clock()) is None:
            return None
        applied = self.ledger.apply(job, after_crash)
        return applied.said if applied else "superseded"
