"""The jobs in the table: each method is one change to a job, alone or together with what must happen beside it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from longplay.domain.errors import LongplayError
from longplay.domain.job import Attempt, Job, JobError, Status
from longplay.storage import changes
from longplay.storage.changes import Change
from longplay.storage.table import Item, Part, Table, WriteRefused

_WORDS: dict[str, Any] = {"one": 1, "true": True, **{status.value: status.value for status in Status}}


def new_token() -> str:
    """A write's own mark: a refused repeat of it recognizes itself by this."""
    return secrets.token_hex(8)


class Refused(LongplayError):
    """A change's condition did not hold; `job` is what stood there, None where there was nothing."""

    def __init__(self, job: Job | None) -> None:
        super().__init__("the job is not in the state this change needs")
        self.job = job


@dataclass(frozen=True)
class DueJob:
    """An open job whose time has come, as the index names it."""

    id: str
    due_at: float


class JobTable:
    """Jobs by id.

    A method that changes a job raises Refused when the job has moved on meanwhile, and WriteRefused when one of the
    parts `beside` it did not hold; nothing is written then.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def create(self, job: Job, *, now: float, beside: Sequence[Part] = ()) -> None:
        """Put a new job, or one in the place of an expired one; Refused holds the one that is there."""
        condition = "attribute_not_exists(pk) OR expires_at <= :now"
        self._write(job.token, self._table.put("job", _item(job), condition, now=now), *beside)

    def find(self, job_id: str) -> Job | None:
        """The job as it stands now."""
        item = self._table.get(_key(job_id))
        return _job(item) if item else None

    def claim(self, job_id: str, *, route: str, now: float, lease: float) -> Job:
        """Take a queued job and enter the attempt that is about to be made."""
        opened = [_opened(route, now)]
        return self._take(changes.CLAIM, job_id, route=route, now=now, lease=lease, attempts=opened)

    def take_over(self, job: Job, closed: Attempt, *, now: float, lease: float) -> Job:
        """Take a job whose worker crashed; `closed` is the crashed attempt as the ledger shall show it."""
        attempts = [*job.attempts[:-1], closed, _opened(job.route, now)]
        return self._take(changes.TAKE_OVER, job.id, fence=job.fence, now=now, lease=lease, attempts=attempts)

    def refer(self, job: Job) -> None:
        """Let go of a job whose provider has answered with the reference that `job` now has."""
        self._change(changes.REFER, job)

    def step(self, job: Job, *, now: float, lease: float) -> Job:
        """Take a job to ask by its reference."""
        return self._take(changes.STEP, job.id, now=now, lease=lease)

    def learn_ref(self, job: Job, index: int, ref: str, *, now: float) -> None:
        """Store the reference a callback has told for an attempt, whose worker has no more say in it then."""
        change = changes.LEARN_REF_LATE if job.status is Status.QUEUED else changes.LEARN_REF
        route = job.attempts[index].route
        self._hint(change, job, index, ref=ref, now=now, route=route)

    def nudge(self, job: Job, index: int, *, sooner: float) -> None:
        """Have the provider asked sooner, because a callback says so."""
        self._hint(changes.NUDGE, job, index, sooner=sooner)

    def release(self, job: Job) -> None:
        """Put a claimed job back into the line, as `job` now has its route, slot, wait and ledger."""
        self._change(changes.RELEASE, job)

    def succeed(self, job: Job, *, now: float, beside: Sequence[Part] = ()) -> None:
        """End a job with the outputs and the ledger that `job` now has."""
        self._change(changes.SUCCEED, job, beside=beside, now=now)

    def succeed_following(self, job: Job, *, now: float, beside: Sequence[Part] = ()) -> None:
        """End a follower with its copy of the result."""
        self._change(changes.FOLLOWER_SUCCEED, job, beside=beside, now=now)

    def fail(self, job: Job, error: JobError, *, now: float, beside: Sequence[Part] = ()) -> None:
        """End a job that its worker could not bring to a result; its last attempt is as `job` now has it."""
        self._change(changes.FAIL, job, beside=beside, error=error, now=now)

    def fail_crashed(self, job: Job, error: JobError, *, now: float, beside: Sequence[Part] = ()) -> None:
        """End a job whose worker is gone and that may not be tried again."""
        self._change(changes.FAIL_CRASHED, job, beside=beside, error=error, now=now)

    def fail_overdue(self, job: Job, error: JobError, *, now: float, beside: Sequence[Part] = ()) -> None:
        """End a job that nobody holds and whose deadline has passed."""
        self._change(changes.FAIL_OVERDUE, job, beside=beside, error=error, now=now)

    def fail_overdue_held(self, job: Job, error: JobError, *, now: float) -> None:
        """End a job whose deadline has passed while its provider is at it; what that brings is still entered."""
        self._change(changes.FAIL_OVERDUE_HELD, job, error=error, now=now, due_at=now)

    def cancel_waiting(self, job: Job, *, now: float, beside: Sequence[Part] = ()) -> None:
        """Cancel a job that nobody is at."""
        self._change(changes.CANCEL_WAITING, job, beside=beside, now=now)

    def cancel_running(self, job: Job, *, now: float) -> None:
        """Cancel a job that a worker is at; what its call brings is still entered."""
        self._change(changes.CANCEL_RUNNING, job, now=now)

    def cancel_held(self, job: Job, *, now: float) -> None:
        """Cancel a job that its provider is at; what that brings is still entered."""
        self._change(changes.CANCEL_HELD, job, now=now, due_at=now)

    def keep_late_result(self, job: Job, *, beside: Sequence[Part] = ()) -> None:
        """Keep, list and charge a result that came after the job had ended otherwise."""
        self._change(changes.KEEP_LATE_RESULT, job, beside=beside)

    def close(self, job: Job, *, beside: Sequence[Part] = ()) -> None:
        """Let go of a job that ended while this worker was at it."""
        self._change(changes.CLOSE, job, beside=beside)

    def erase(self, job: Job, *, now: float) -> None:
        """Take out what was asked and what came of it; `job` has its request blanked."""
        self._change(changes.ERASE, job, now=now)

    def follow_on(self, job: Job, *, now: float) -> None:
        """Have a follower wait on, as `job` now has its leader, its wait and when to look again."""
        self._change(changes.FOLLOW_ON, job, now=now)

    def take_the_lead(self, job: Job, *, beside: Sequence[Part]) -> None:
        """Make a follower a job like any other, with the slot that `job` now has."""
        self._change(changes.TAKE_THE_LEAD, job, beside=beside)

    def due(self, now: float, *, limit: int) -> Iterator[DueJob]:
        """Open jobs whose time has come, the longest due first."""
        for item in self._table.query("open", "#open = :open AND #due_at <= :now", limit=limit, open="open", now=now):
            yield DueJob(item["pk"].removeprefix("job#"), item["due_at"])

    def move(self, due: DueJob, *, due_at: float) -> None:
        """Move a due job along the index; Refused when somebody else has."""
        self._write(new_token(), self._table.update("job", _key(due.id), changes.MOVE, due_at=due_at, seen=due.due_at))

    def _hint(self, change: Change, job: Job, index: int, **values: object) -> None:
        known = {**_WORDS, **_plain(values), "secret": job.attempts[index].token, "token": (token := new_token())}
        self._write(token, self._table.update("job", _key(job.id), change, index=index, **known))

    def _take(self, change: Change, job_id: str, **values: object) -> Job:
        token = new_token()
        part = self._table.update("job", _key(job_id), change, **_WORDS, **_plain(values), token=token)
        return _job(self._write(token, part) or {})

    def _change(self, change: Change, job: Job, *, beside: Sequence[Part] = (), **values: object) -> None:
        token = new_token()
        known = {**_plain(job), **_WORDS, **_plain(values), "seen": job.token, "token": token}
        index = len(job.attempts) - 1
        if index >= 0:
            known["attempt"] = _plain(job.attempts[index])
        self._write(token, self._table.update("job", _key(job.id), change, index=index, **known), *beside)

    def _write(self, token: str, *parts: Part) -> Item | None:
        try:
            return self._table.write(*parts)
        except WriteRefused as refused:
            return _own_success(refused, token)


def _own_success(refused: WriteRefused, token: str) -> Item:
    """The job's item, when the refused write repeats one that had come through; raises otherwise."""
    if "job" not in refused.items:
        raise refused
    item = refused.items["job"]
    if item is None or item["token"] != token:
        raise Refused(_job(item) if item else None) from refused
    return item


def _opened(route: str, now: float) -> Attempt:
    return Attempt(route=route, started_at=now, token=secrets.token_urlsafe(24))


def _key(job_id: str) -> str:
    return f"job#{job_id}"


def _item(job: Job) -> Item:
    # no outputs must be absent, not empty: a late result is kept only where there is none
    values = {name: value for name, value in _plain(job).items() if value is not None and (value or name != "outputs")}
    opened = {} if job.status.finished else {"open": "open"}
    return {"pk": _key(job.id), **opened, **values}


def _job(item: Item) -> Job:
    return msgspec.convert(item, Job, strict=False)


def _plain(value: object) -> Any:
    return msgspec.to_builtins(value)
