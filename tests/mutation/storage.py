"""The storage classes on a table on moto, and methods that write jobs into the state that a scenario needs."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
from longplay.doctor import reports
from longplay.domain import changes
from longplay.domain.batches import Batch
from longplay.domain.catalogue import Kind
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.domain.hooks import Happening, Hook, Target, new_hook
from longplay.domain.job import Job, JobError, Leg, Output, Status
from longplay.domain.pacing import Limit, Window
from longplay.domain.request import GenerationRequest
from longplay.domain.settings import CacheScope, Caps
from longplay.storage.batches import Batches
from longplay.storage.budgets import Budgets
from longplay.storage.cache import ResultCache
from longplay.storage.circuits import Circuits
from longplay.storage.ends import OWNER_BUDGET, Ends, budget_key
from longplay.storage.held_answers import HeldAnswers
from longplay.storage.hooks import Hooks
from longplay.storage.jobs import BatchClosed, JobTable, Refused
from longplay.storage.limiter import Limiter, read_line
from longplay.storage.patience import Patience
from longplay.storage.returned import collected
from longplay.storage.table import Table, WriteRefused
from msgspec.structs import replace

from tests.harness.aws import TABLE

ACCOUNT = "paced"
NOW = 1_000_000.0
LEASE = NOW + 100
CRASHED = LEASE + 1  # the lease of a worker that began at NOW has run out
DEADLINE = NOW + 600
ERROR = JobError(code="upstream", message="It broke.", retryable=True, charged=Charged.UNKNOWN)
ROUTER = Leg(route="router", account="router", price_usd=0.005)
OUTPUT = Output(key="jobs/x/1/0", content_type="audio/wav", bytes=1, sha256="0" * 64)


@dataclass
class Storage:
    """The storage classes on one table, without the engine that calls them."""

    client: Any
    table: Table
    jobs: JobTable
    cache: ResultCache
    ends: Ends

    def queued(self, **fields: Any) -> Job:
        """A new job, as a submission writes it."""
        job = _job(**fields)
        self.jobs.create(job, now=NOW)
        return job

    def running(self, **fields: Any) -> Job:
        """A new job that a worker has claimed."""
        return self.claim(self.queued(**fields))

    def claim(self, job: Job, *, now: float = NOW, route: str = "endpoint") -> Job:
        """The job after a worker has claimed it until LEASE."""
        return self.jobs.claim(job.id, route=route, now=now, lease=LEASE)

    def taken_over(self, job: Job) -> Job:
        """The job after a second worker has taken it over and has crashed too."""
        return self.take_over(job, now=CRASHED)

    def take_over(self, job: Job, *, now: float) -> Job:
        """The job after a worker has taken it over for a tenth of a second. Its state is not looked at first."""
        attempts = (*job.attempts, replace(job.attempts[-1], started_at=now))
        return self.change("TAKE_OVER", replace(job, attempts=attempts, lease=now + 0.1), now=now)

    def change(self, name: str, job: Job, *, now: float = NOW, seen: Job | None = None) -> Job:
        """The job after a change, looked up in changes.py by its name because a mutant may have replaced it."""
        return self.jobs.change(getattr(changes, name), job, seen=seen or job, now=now)

    def released(self, job: Job, **values: Any) -> Job:
        """The job after its worker has queued it again."""
        after = replace(job, **values)
        self.change("RELEASE", after)
        return after

    def answer_lost(self, **values: Any) -> Job:
        """A new job that was queued again because the answer of its call was lost."""
        return self.released(self.running(), **{"status": Status.QUEUED, **values})

    def ended_without_answer(self) -> Job:
        """A new job that was canceled after the answer of its call was lost."""
        return self.change("CANCEL_WAITING", self.current(self.answer_lost()))

    def at_provider(self, *, not_before: float = NOW, **fields: Any) -> Job:
        """A new job that is at its provider, which has answered with a reference."""
        job = replace(self.running(**fields), ref="prediction-1", not_before=not_before, due_at=not_before)
        self.change("STORE_REF", job)
        return job

    def polled(self, job: Job, *, now: float = NOW, lease: float = LEASE) -> Job:
        """The job after a worker has claimed it to poll its provider."""
        return self.change("CLAIM_POLL", replace(job, lease=lease), now=now)

    def polled_again(self, job: Job, *, now: float, lease: float = 2 * LEASE) -> Job:
        """The job after a worker has claimed it to poll, because the last one crashed."""
        return self.change("CLAIM_POLL_AGAIN", replace(job, lease=lease), now=now)

    def learn_ref(self, job: Job, ref: str = "prediction-1") -> Job:
        """The job after a callback has brought the reference of the last attempt."""
        ended = "LEARN_REF_ENDED" if job.status.finished else "LEARN_REF"
        change = "LEARN_REF_LATE" if job.status is Status.QUEUED else ended
        return self.change(change, replace(job, ref=ref))

    def fail(self, name: str, job: Job, *, now: float = NOW) -> Job:
        """The job after it failed by the change of this name."""
        return self.change(name, replace(job, error=ERROR), now=now)

    def succeed(self, job: Job) -> Job:
        """The job after it succeeded with one output."""
        return self.change("SUCCEED", replace(job, outputs=(OUTPUT,)))

    def canceled_running(self, **fields: Any) -> Job:
        """A new job that was canceled while a worker had its lease, as it was read before."""
        job = self.running(**fields)
        self.change("CANCEL_RUNNING", job)
        return job

    def canceled(self) -> Job:
        """A new job that was canceled while it waited, as it was read before."""
        job = self.queued()
        self.change("CANCEL_WAITING", job)
        return job

    def follower(self) -> Job:
        """A new job that waits for the result of another one."""
        return self.queued(follows="leader", cache_key=f"cache#{secrets.token_hex(4)}")

    def promoted(self) -> Job:
        """A new follower that has taken the lead, as it was read before."""
        job = self.follower()
        self.change("TAKE_THE_LEAD", replace(job, follows=None))
        return job

    def current(self, job: Job) -> Job:
        """The job as it stands in the table."""
        found = self.jobs.find(job.id)
        assert found is not None
        return found

    def budgets(self, **caps: Any) -> Budgets:
        """Budgets with these caps for each owner."""
        return Budgets(self.table, owner=Caps(**caps), deployment=Caps())

    def reserve_a_dollar(self, budgets: Budgets, owner: str) -> None:
        """Reserve one dollar of the owner's budget for one more job."""
        job = _job(owner=owner, hold=1_000_000, budget_day="2026-03-04")
        self.table.write(*budgets.hold(job, now=NOW))

    def give_a_dollar_back(self, owner: str) -> None:
        """The end of that job, which cost nothing."""
        job = _job(owner=owner, hold=1_000_000, budget_day="2026-03-04", held_by=(OWNER_BUDGET,), expected_at=NOW)
        self.table.write(*self.ends.settled(job, now=NOW))

    def collect(self, owner: str) -> int:
        """The dollars the owner has used, in millionths, after all that was given back is collected."""
        return int((collected(self.table, budget_key(OWNER_BUDGET, owner, "2026-03-04")) or {})["used"])

    def two_limiters(self) -> tuple[Limiter, Limiter]:
        """The limiters of two functions for one account: it allows one start in ten seconds, and no slot is taken."""
        self.client.delete_item(TableName=TABLE, Key={"pk": {"S": f"limit#{ACCOUNT}"}})
        limits = {ACCOUNT: Limit(windows=(Window(1, 10),))}
        return Limiter(self.table, limits, tolerance=0), Limiter(self.table, limits, tolerance=0)

    def one_answer(self, now: float) -> AbstractContextManager[bool]:
        """Whether the only answer that may be held at once is held from now on, for ten seconds."""
        return HeldAnswers(self.table, Patience(), most=1).one_more(now=now, until=now + 10)

    def free_all_places(self) -> None:
        """Remove the place of the only answer that may be held."""
        self.client.delete_item(TableName=TABLE, Key={"pk": {"S": "held#0"}})

    def close_route(self, route: str, now: float) -> None:
        """Close the route, as a function does that learns at `now` that it is not served."""
        error = ProviderError(FailureKind.NOT_SERVED, "not served")
        Circuits(self.table, clock=lambda: now).note(error, account="*", model="m", route=route)

    def closed_until(self, route: str) -> float:
        """The time until which the route is closed; 0 if it is open."""
        item = self.table.get(f"closed#m#{route}") or {}
        return float(item.get("until", 0))

    def forget_reports(self) -> None:
        """Remove the doctor's report from the table."""
        self.client.delete_item(TableName=TABLE, Key={"pk": {"S": reports.KEY}})

    def keep_report(self, checked_at: float) -> None:
        """Keep the report of a round of checkups that began at `checked_at`."""
        reports.Reports(self.table).keep(reports.Report(checked_at=checked_at, routes=()))

    def latest_report(self) -> float:
        """The time at which the round of the kept report began; 0 if there is no report."""
        latest = reports.Reports(self.table).latest()
        return latest.checked_at if latest else 0.0

    @property
    def hooks(self) -> Hooks:
        """The hooks on the table."""
        return Hooks(self.table)

    def hook(self) -> Hook:
        """A new hook, as the end of a job writes it."""
        job = _job(webhook="https://example.com/")
        hook = new_hook(job, Happening.SUCCEEDED, Target.WEBHOOK, now=NOW, resend_after=60, token="new")
        self.table.write(self.hooks.put(hook))
        return hook

    def batch(self, batch_id: str, *, closed_at: float | None) -> None:
        """Store a batch that lets lines in, or not any more."""
        batch = Batch(
            id=batch_id,
            incarnation="1",
            owner="alice",
            token="new",
            not_before=NOW,
            created_at=NOW,
            deadline=DEADLINE,
            expires_at=int(DEADLINE),
            body_hash="",
            total=1,
            closed_at=closed_at,
        )
        Batches(self.table).create(batch, now=NOW)

    def renew_secret(self, *, owner: str, seen: int, generation: int) -> None:
        """Store the owner's next generation of webhook secrets."""
        item = {"pk": f"webhooks#{owner}", "generation": generation}
        self.table.write(self.table.put("webhooks", item, changes.ROTATE, seen=seen))

    def forget_secrets(self, owner: str) -> None:
        """Remove the owner's generation."""
        self.client.delete_item(TableName=TABLE, Key={"pk": {"S": f"webhooks#{owner}"}})

    def slots(self) -> list[float]:
        """The times of the reserved slots."""
        return list(read_line(self.table.get(f"limit#{ACCOUNT}")).log)

    @contextmanager
    def repeating(self, operation: str) -> Iterator[None]:
        """Send the first call of this operation twice, as the SDK does after a lost reply."""
        call, lost = getattr(self.client, operation), [True]

        def twice(**parameters: Any) -> Any:
            if lost.pop() if lost else False:
                call(**parameters)
            return call(**parameters)

        with patch.object(self.client, operation, twice):
            yield


def make_storage(client: Any) -> Storage:
    """The storage classes on the table of this client."""
    table = Table(client, TABLE)
    return Storage(
        client,
        table,
        JobTable(table),
        ResultCache(table, CacheScope.OWNER),
        Ends(table, Limiter(table, {}, tolerance=0)),
    )


def assert_refused(write: Callable[[], object]) -> None:
    """The write is refused."""
    with pytest.raises((Refused, WriteRefused, BatchClosed)):
        write()


def _job(**fields: Any) -> Job:
    request = GenerationRequest(kind=Kind.MUSIC, model="musicgen-small", prompt="sea", parameters={})
    usual = {
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
    return Job(**{**usual, **fields})
