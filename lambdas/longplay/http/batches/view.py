"""Shows batches: the document of one, a list of them, and the results of its lines."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from longplay.domain.batch_estimates import Room, estimate
from longplay.domain.batches import Batch, RefusedLine
from longplay.domain.caller_texts import BATCH_TEXTS, LINES_EXPIRE
from longplay.domain.errors import Charged
from longplay.domain.job import Job
from longplay.domain.settings import MILLION, Settings
from longplay.http import documents as job_documents
from longplay.http.batches import documents
from longplay.http.batches.documents import BatchStatus, LineStatus
from longplay.http.batches.service import BatchService
from longplay.http.documents import given, timestamp, timestamp_if
from longplay.http.job_view import possible_usd, told_view
from longplay.storage.limiter import Limiter, LinesInView

PAGE = 100  # lines of results at once
_SHORTEST_POLL, _LONGEST_POLL = 2, 300  # seconds a caller should wait before it reads the batch again
_POLLS = 10  # in the time that the batch is expected to take
_OVER: dict[bool, LineStatus] = {True: LineStatus.CANCELED, False: LineStatus.EXPIRED}


@dataclass(frozen=True, kw_only=True)
class BatchView:
    """Reads what is shown, and shows it. `clock` gives epoch seconds."""

    service: BatchService
    limiter: Limiter
    lines: LinesInView
    settings: Settings
    clock: Callable[[], float] = time.time

    def of(self, batch: Batch) -> documents.Batch:
        """The batch as it stands."""
        jobs = [*self.service.jobs_of(batch, range(batch.total)).values()]
        counts = _counts(batch, jobs)
        open_jobs = [job for job in jobs if not job.status.finished]
        return documents.Batch(
            **_members(batch),
            status=_status(batch, open_jobs),
            counts=counts,
            cost=_cost(batch, jobs),
            wait=self._wait(batch, open_jobs) if open_jobs or counts.waiting else UNSET,
        )

    def results(self, batch: Batch, *, begin: int) -> str:
        """The lines from `begin` on as JSONL, in their order; at most 100."""
        numbers = range(begin, min(batch.total, begin + PAGE))
        jobs, index = self.service.jobs_of(batch, numbers), self.service.files.index(batch)
        refused = {line.number: line for line in index.refused}
        shown = (
            self._line(batch, number, jobs.get(number), refused.get(number), index.custom_ids[number])
            for number in numbers
        )
        return "".join(f"{_one_line(line)}\n" for line in shown)

    def _line(
        self, batch: Batch, number: int, job: Job | None, refused: RefusedLine | None, custom_id: str | None
    ) -> documents.BatchLine:
        if job is None and refused is None and number < batch.let_in:
            refused = self.service.files.refusal(batch, number)
        return documents.BatchLine(
            line=number,
            custom_id=given(custom_id),
            status=_line_status(batch, job, refused),
            job=self._told(job) if job else UNSET,
            error=_error(refused) if refused else UNSET,
        )

    def _told(self, job: Job) -> job_documents.ToldJob:
        return told_view(job, self.service.service.catalogue.models.get(job.request.model), now=self.clock())

    def _wait(self, batch: Batch, open_jobs: Collection[Job]) -> documents.BatchWait:
        now = self.clock()
        expected = estimate(batch, open_jobs, {name: self._room(batch, name, now) for name in batch.ahead}, now=now)
        late = f" {LINES_EXPIRE.format(lines=expected.expire)}" if expected.expire else ""
        return documents.BatchWait(
            reason=batch.reason,
            eta_seconds=round(expected.eta_seconds, 1),
            basis=f"{BATCH_TEXTS[batch.reason]}{late}",
        )

    def _room(self, batch: Batch, account: str, now: float) -> Room:
        ahead = batch.ahead[account]
        limit = self.settings.limits.get(account)
        workers = {"calls": self.settings.concurrent_calls, "steps": self.settings.concurrent_steps}
        starts = (
            self.limiter.starts(account, self.lines.line(account), count=ahead.lines, now=now)
            if limit and limit.windows
            else ()
        )
        caps = (self.settings.owner_caps.open_jobs, self.settings.deployment_caps.open_jobs)
        seats = [most for most in (limit.max_concurrent if limit else None, *caps) if most is not None]
        return Room(starts=starts, seats=min(seats, default=None), workers=workers.get(ahead.queue, workers["calls"]))


def _one_line(line: documents.BatchLine) -> str:
    """The line as JSON that no reader splits: Python and JavaScript also end a line at these three characters."""
    text = msgspec.json.encode(line).decode()
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085")


def summary(batch: Batch) -> documents.BatchSummary:
    """The batch in a list."""
    return documents.BatchSummary(**_members(batch))


def retry_after(batch: documents.Batch) -> int:
    """Seconds until the caller should read the batch again."""
    eta = batch.wait.eta_seconds if batch.wait else 0.0
    return round(min(_LONGEST_POLL, max(_SHORTEST_POLL, eta / _POLLS)))


def _members(batch: Batch) -> dict[str, Any]:
    own = f"batches/{batch.id}"
    urls = documents.BatchUrls(self=own, results=f"{own}/results", cancel=UNSET if batch.canceled else f"{own}/cancel")
    return {
        "id": batch.id,
        "total": batch.total,
        "let_in": batch.let_in,
        "refused": batch.refused,
        "created_at": timestamp(batch.created_at),
        "deadline": timestamp(batch.deadline),
        "expires_at": timestamp(batch.expires_at),
        "closed_at": timestamp_if(batch.closed_at),
        "urls": urls,
    }


def _status(batch: Batch, open_jobs: Collection[Job]) -> BatchStatus:
    if open_jobs or batch.closed_at is None:
        return BatchStatus.CANCELING if batch.canceled else BatchStatus.RUNNING
    return BatchStatus.CANCELED if batch.canceled else BatchStatus.ENDED


def _counts(batch: Batch, jobs: Collection[Job]) -> documents.BatchCounts:
    by_status = Counter(str(job.status) for job in jobs)
    without = batch.total - len(jobs) - batch.refused
    by_status[_without_job(batch)] += max(0, without)
    by_status["refused"] = batch.refused
    return documents.BatchCounts(**{str(status): by_status[str(status)] for status in LineStatus})


def _without_job(batch: Batch) -> LineStatus:
    """The status of a line that is valid and no job."""
    return LineStatus.WAITING if batch.closed_at is None else _OVER[batch.canceled]


def _line_status(batch: Batch, job: Job | None, refused: RefusedLine | None) -> LineStatus:
    if job is not None:
        return LineStatus(job.status.value)
    return LineStatus.REFUSED if refused else _without_job(batch)


def _cost(batch: Batch, jobs: Iterable[Job]) -> documents.BatchCost:
    sums: Mapping[str, float] = {
        "charged_usd": sum(job.usd(Charged.YES) for job in jobs),
        "unknown_usd": sum(job.usd(Charged.UNKNOWN) for job in jobs),
        "possible_usd": batch.left / MILLION + sum(map(possible_usd, jobs)),
    }
    return documents.BatchCost(**{name: round(usd, 6) for name, usd in sums.items()})


def _error(refused: RefusedLine) -> documents.LineError | UnsetType:
    return documents.LineError(
        code=refused.code,
        message=refused.message,
        charged=Charged.NO,
        errors=tuple(msgspec.convert(fault, job_documents.Fault) for fault in refused.errors) or UNSET,
    )
