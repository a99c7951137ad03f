"""Jobs in a table on moto, brought by real writes to where a condition matters."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
from longplay.domain.catalogue import Kind
from longplay.domain.errors import Charged
from longplay.domain.job import Job, JobError, Output, Status
from longplay.domain.pacing import Limit, Window
from longplay.domain.request import GenerationRequest
from longplay.domain.settings import CacheScope, Caps
from longplay.storage.budgets import Budgets
from longplay.storage.cache import ResultCache
from longplay.storage.jobs import JobTable, Refused
from longplay.storage.limiter import Limiter
from longplay.storage.table import Table, WriteRefused
from msgspec.structs import replace

from tests.harness.aws import TABLE

ACCOUNT = "paced"
NOW = 1_000_000.0
LEASE = NOW + 100
CRASHED = LEASE + 1  # when a worker that began at NOW is known to be gone
DEADLINE = NOW + 600
ERROR = JobError(code="upstream", message="It broke.", retryable=True, charged=Charged.UNKNOWN)
OUTPUT = Output(key="jobs/x/1/0", content_type="audio/wav", bytes=1, sha256="0" * 64)


@dataclass
class Bench:
    """The table's own classes, without what calls them."""

    client: Any
    table: Table
    jobs: JobTable
    cache: ResultCache

    def queued(self, **given: Any) -> Job:
        """A job as a submission leaves it."""
        job = _job(**given)
        self.jobs.create(job, now=NOW)
        return job

    def running(self, **given: Any) -> Job:
        """A job that a worker has claimed."""
        return self.claim(self.queued(**given))

    def claim(self, job: Job, *, now: float = NOW, route: str = "endpoint") -> Job:
        """The job, claimed until LEASE."""
        return self.jobs.claim(job.id, route=route, now=now, lease=LEASE)

    def taken_over(self, job: Job) -> Job:
        """The crashed job in another worker's hands, which crashes as well."""
        return self.take_over(job, now=CRASHED)

    def take_over(self, job: Job, *, now: float) -> Job:
        """Take it over, for a tenth of a second."""
        return self.jobs.take_over(job, job.attempts[-1], now=now, lease=now + 0.1)

    def released(self, job: Job, **changes: Any) -> Job:
        """The job back in the line."""
        after = replace(job, **changes)
        self.jobs.release(after)
        return after

    def answer_lost(self, **changes: Any) -> Job:
        """A job back in the line because its call's answer was lost; the job is as it was read then."""
        return self.released(self.running(), **{"status": Status.QUEUED, **changes})

    def referred(self, *, not_before: float = NOW, **given: Any) -> Job:
        """A job that its provider holds."""
        job = replace(self.running(**given), ref="prediction-1", not_before=not_before, due_at=not_before)
        self.jobs.refer(job)
        return job

    def canceled_running(self, **given: Any) -> Job:
        """A job that was canceled while a worker was at it."""
        job = self.running(**given)
        self.jobs.cancel_running(job, now=NOW)
        return job

    def canceled(self) -> Job:
        """A job that was canceled while it waited."""
        job = self.queued()
        self.jobs.cancel_waiting(job, now=NOW)
        return job

    def follower(self) -> Job:
        """A job that waits for another's result."""
        return self.queued(follows="leader", cache_key=f"cache#{secrets.token_hex(4)}")

    def promoted(self) -> Job:
        """A follower that has taken the lead; the job is as it was read before."""
        job = self.follower()
        self.jobs.take_the_lead(replace(job, follows=None), beside=[])
        return job

    def now(self, job: Job) -> Job:
        """The job as it stands."""
        found = self.jobs.find(job.id)
        assert found is not None
        return found

    def budgets(self, **caps: Any) -> Budgets:
        """Budgets of an owner."""
        return Budgets(self.table, owner=Caps(**caps), deployment=Caps())

    def hold(self, budgets: Budgets, owner: str) -> None:
        """Take the hold of one more job of a dollar."""
        job = _job(owner=owner, hold=1_000_000, budget_day="2026-03-04")
        self.table.write(*budgets.hold(job, now=NOW))

    def two_limiters(self) -> tuple[Limiter, Limiter]:
        """Two functions' limiters of one account that lets one start in ten seconds; its line is empty."""
        self.client.delete_item(TableName=TABLE, Key={"pk": {"S": f"limit#{ACCOUNT}"}})
        limits = {ACCOUNT: Limit(windows=(Window(1, 10),))}
        return Limiter(self.table, limits, tolerance=0), Limiter(self.table, limits, tolerance=0)

    def slots(self) -> list[float]:
        """The starts that are reserved."""
        item = self.table.get(f"limit#{ACCOUNT}") or {}
        return list(item["log"])

    @contextmanager
    def repeating(self, operation: str) -> Iterator[None]:
        """The SDK repeats the first such call because its reply was lost."""
        call, lost = getattr(self.client, operation), [True]

        def twice(**parameters: Any) -> Any:
            if lost.pop() if lost else False:
                call(**parameters)
            return call(**parameters)

        with patch.object(self.client, operation, twice):
            yield


def make_bench(client: Any) -> Bench:
    """The classes on the table."""
    table = Table(client, TABLE)
    return Bench(client, table, JobTable(table), ResultCache(table, CacheScope.OWNER))


def is_refused(act: Callable[[], object]) -> None:
    """The write must not happen."""
    with pytest.raises((Refused, WriteRefused)):
        act()


def _job(**given: Any) -> Job:
    request = GenerationRequest(kind=Kind.MUSIC, model="musicgen-small", prompt="sea", parameters={})
    known = {
        "id": secrets.token_hex(8),
        "owner": "alice",
        "status": Status.QUEUED,
        "request": request,
        "created_at": NOW,
        "expires_at": int(DEADLINE) + 1_000,
        "deadline": DEADLINE,
        "body_hash": "",
        "token": secrets.token_hex(8),
        "route": "endpoint",
        "account": "*",
        "price_usd": 0.005,
        "not_before": NOW,
        "due_at": NOW + 60,
        "max_charges": 3,
    }
    return Job(**{**known, **given})
