"""Results kept and crashes resolved: the bucket is asked before anything is paid again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from longplay.domain.decisions import after_crash, after_end, after_result
from longplay.domain.errors import Charged
from longplay.domain.job import Job, Output
from longplay.engine.ledger import Ledger
from longplay.storage.files import ResultBucket


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """Workers and the sweeper share it."""

    ledger: Ledger
    bucket: ResultBucket

    def keep(self, job: Job, outputs: Iterable[Output], request_id: str | None = None) -> str:
        """Record a whole result: it ends the job or, where the job has ended otherwise, is kept and charged."""
        now = self.ledger.clock()
        closed = job.closed(now=now, outcome="succeeded", charged=Charged.YES, request_id=request_id)
        applied = self.ledger.apply(job, after_result(replace(closed, outputs=tuple(outputs))))
        if applied is None:
            self.bucket.erase(job.id)  # the owner has deleted the job
            self.close(closed)
            return "erased"
        if not applied.decision.change.ends:
            self.close(applied.decision.job)
        return applied.said

    def resolve(self, job: Job) -> str | None:
        """End a job whose worker crashed, as far as that needs no call. None where a call or a poll is due."""
        if found := self.bucket.find(job.id, job.fence):
            return self.keep(job, found)
        if after_crash(job, self.ledger.clock()) is None:
            return None
        applied = self.ledger.apply(job, after_crash)
        return applied.said if applied else "superseded"

    def close(self, job: Job) -> str:
        """Let go of a job that ended, or went to another worker, during this worker's call."""
        applied = self.ledger.apply(job, after_end(job))
        return applied.said if applied else "superseded"
