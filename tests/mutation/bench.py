"""Jobs in a table on moto, brought by real writes to where a condition matters."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
from longplay.doctor import reports
from longplay.domain import changes
from longplay.domain.catalogue import Kind
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.domain.job import Job, JobError, Leg, Output, Status
from longplay.domain.pacing import Limit, Window
from longplay.domain.request import GenerationRequest
from longplay.domain.settings import CacheScope, Caps
from longplay.storage.budgets import Budgets
from longplay.storage.cache import ResultCache
from longplay.storage.circuits import Circuits
from longplay.storage.ends import Ends
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
ROUTER = Leg(route="router", account="router", price_usd=0.005)
OUTPUT = Output(key="jobs/x/1/0", content_type="audio/wav", bytes=1, sha256="0" * 64)


@dataclass
class Bench:
    """The table's own classes, without what calls them."""

    client: Any
    table: Table
    jobs: JobTable
    cache: ResultCache
    ends: Ends

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
        """Take it over, for a tenth of a second, whatever its state."""
        attempts = (*job.attempts, replace(job.attempts[-1], started_at=now))
        return self.change("TAKE_OVER", replace(job, attempts=attempts, lease=now + 0.1), now=now)

    def change(self, name: str, job: Job, *, now: float = NOW, seen: Job | None = None) -> Job:
        """Write a change by its name in changes.py, which a mutant may have replaced."""
        return self.jobs.change(getattr(changes, name), job, seen=seen or job, now=now)

    def released(self, job: Job, **values: Any) -> Job:
        """The job queued again."""
        after = replace(job, **values)
        self.change("RELEASE", after)
        return after

    def answer_lost(self, **values: Any) -> Job:
        """A job queued again because the answer of its call was lost; the job is as it was read then."""
        return self.released(self.running(), **{"status": Status.QUEUED, **values})

    def referred(self, *, not_before: float = NOW, **given: Any) -> Job:
        """A job at its provider."""
        job = replace(self.running(**given), ref="prediction-1", not_before=not_before, due_at=not_before)
        self.change("STORE_REF", job)
        return job

    def polled(self, job: Job, *, now: float = NOW, lease: float = LEASE) -> Job:
        """The job in the hands of a worker that polls."""
        return self.change("CLAIM_POLL", replace(job, lease=lease), now=now)

    def learn_ref(self, job: Job, ref: str = "prediction-1") -> Job:
        """Store the reference that a callback has brought for the last attempt."""
        late = job.status is Status.QUEUED
        return self.change("LEARN_REF_LATE" if late else "LEARN_REF", replace(job, ref=ref))

    def fail(self, name: str, job: Job, *, now: float = NOW) -> Job:
        """Fail the job by one of the changes that do."""
        return self.change(name, replace(job, error=ERROR), now=now)

    def succeed(self, job: Job) -> Job:
        """End the job with an output."""
        return self.change("SUCCEED", replace(job, outputs=(OUTPUT,)))

    def canceled_running(self, **given: Any) -> Job:
        """A job that was canceled while a worker was at it."""
        job = self.running(**given)
        self.change("CANCEL_RUNNING", job)
        return job

    def canceled(self) -> Job:
        """A job that was canceled while it waited."""
        job = self.queued()
        self.change("CANCEL_WAITING", job)
        return job

    def follower(self) -> Job:
        """A job that waits for another's result."""
        return self.queued(follows="leader", cache_key=f"cache#{secrets.token_hex(4)}")

    def promoted(self) -> Job:
        """A follower that has taken the lead; the job is as it was read before."""
        job = self.follower()
        self.change("TAKE_THE_LEAD", replace(job, follows=None))
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

    def close_route(self, route: str, now: float) -> None:
        """A provider does not serve a route, as one function learns it at `now`."""
        error = ProviderError(FailureKind.NOT_SERVED, "not served")
        Circuits(self.table, clock=lambda: now).note(error, account="*", model="m", route=route)

    def closed_until(self, route: str) -> float:
        """Until when the route is closed."""
        item = self.table.get(f"closed#m#{route}") or {}
        return float(item.get("until", 0))

    def forget_reports(self) -> None:
        """Remove the doctor's report."""
        self.client.delete_item(TableName=TABLE, Key={"pk": {"S": reports.KEY}})

    def keep_report(self, checked_at: float) -> None:
        """The doctor has finished a round."""
        reports.Reports(self.table).keep(reports.Report(checked_at=checked_at, routes=()))

    def latest_report(self) -> float:
        """When the report that is kept was begun."""
        latest = reports.Reports(self.table).latest()
        return latest.checked_at if latest else 0.0

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
    return Bench(
        client,
        table,
        JobTable(table),
        ResultCache(table, CacheScope.OWNER),
        Ends(table, Limiter(table, {}, tolerance=0)),
    )


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
        "leg": Leg(route="endpoint", account="*", price_usd=0.005),
        "not_before": NOW,
        "due_at": NOW + 60,
        "max_charges": 3,
    }
    return Job(**{**known, **given})
