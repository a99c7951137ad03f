"""The jobs in the table: read, created, claimed, and changed by one conditional write."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from operator import itemgetter
from typing import Any
from zlib import crc32

import msgspec

from longplay.domain import changes
from longplay.domain.catalogue import Kind
from longplay.domain.changes import Change
from longplay.domain.errors import LongplayError
from longplay.domain.job import Job, Leg, Status, WaitReason, opened
from longplay.domain.listing import Position
from longplay.domain.schedule import is_urgent
from longplay.storage.table import Item, Part, Table, WriteRefused, new_token

_BATCH = "batch"
_OURS = re.compile(r"[\w-]{1,64}", re.ASCII)
_URGENT, _WAITING, _OF_VERSION_0_1 = "open", "waits", "open"
SHARDS = 4  # keys of the index of open jobs, each a partition
_WORDS: dict[str, Any] = {"one": 1, "true": True, **{status.value: status.value for status in Status}}
# Version 0.1 reads a job that waits for a reason it does not know as one that waits for this reason.
_REASON_FOR_0_1 = {WaitReason.SERVICE_BUSY: WaitReason.PROVIDER_ERROR, WaitReason.BUDGET: WaitReason.CONCURRENCY}
_LEG = tuple(field.encode_name for field in msgspec.structs.fields(Leg))


def new_secret() -> str:
    """The random token by which a callback proves which attempt it is about."""
    return secrets.token_urlsafe(24)


class BatchClosed(LongplayError):
    """The batch of a new job takes no more lines. Nothing was written."""


class Refused(LongplayError):
    """A change's condition did not hold. `job` is the job as it stands, None where there is none."""

    def __init__(self, job: Job | None) -> None:
        super().__init__("the job is not in the state this change needs")
        self.job = job


@dataclass(frozen=True)
class DueJob:
    """An open job in the index, with the time (epoch seconds) it is due."""

    id: str
    due_at: float


class JobTable:
    """The jobs in the table: read, created and changed by id.

    A write raises Refused when the job has changed since it was read, and WriteRefused when the condition of another
    part of the same write did not hold. Nothing is written then.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    def create(self, job: Job, *, now: float, beside: Sequence[Part] = ()) -> None:
        """Put a new job, or one in the place of an expired one. Refused holds the job that is there.

        Raises BatchClosed for a line of a batch that takes no more.
        """
        batch = [self._table.check(_BATCH, batch_key(job.batch), changes.BATCH_OPEN)] if job.batch else []
        try:
            self._write(job.token, self._table.put("job", _item(job, now), changes.CREATE, now=now), *beside, *batch)
        except WriteRefused as refused:
            raise BatchClosed(job.batch) if _BATCH in refused.items else refused from refused

    def find(self, job_id: str) -> Job | None:
        """The job as it stands now. An id that cannot be ours is not asked for."""
        item = self._table.get(_key(job_id)) if _OURS.fullmatch(job_id) else None
        return _job(item) if item else None

    def find_all(self, job_ids: Sequence[str]) -> dict[str, Job]:
        """The jobs as they stand now, by id; at most 100."""
        items = self._table.get_all([*map(_key, job_ids)])
        return {job.id: job for job in map(_job, items.values())}

    def of_owner(
        self, owner: str, *, since: float, until: float, after: Position | None, page: int
    ) -> Iterator[Position]:
        """Where the owner's jobs of this time (epoch seconds, both included) stand in its list, the newest first.

        It begins behind `after`. A job is in the list within a second of its creation.
        """
        begin = {"pk": _key(after.job), "owner": owner, "created_at": after.created_at} if after else None
        found = self._table.query(
            "mine",
            "#owner = :owner AND #created_at BETWEEN :since AND :until",
            after=begin,
            newest_first=True,
            page=page,
            owner=owner,
            since=since,
            until=until,
        )
        for item in found:
            yield Position(item["created_at"], item["pk"].removeprefix("job#"))

    def claim(self, job_id: str, *, route: str, now: float, lease: float) -> Job:
        """Take a queued job and enter the attempt that is about to be made."""
        entry = opened(route, now=now, token=new_secret())
        known = _plain(
            {
                "route": route,
                "now": now,
                "lease": lease,
                "open": _place(job_id, urgent=True),
                "attempts": [entry],
                "token": (token := new_token()),
            }
        )
        item = self._write(token, self._table.update("job", _key(job_id), changes.CLAIM, **_WORDS, **known))
        return _job(item or {})

    def change(self, change: Change, job: Job, *, seen: Job, now: float, beside: Sequence[Part] = ()) -> Job:
        """Write a change. `job` is the job as the change leaves it, `seen` the job the change was decided on.

        Returns the job as it stands after the write.
        """
        token = new_token()
        known = {"now": now, "seen": seen.token, "seen_due_at": seen.due_at, "token": token}
        if "#open = :open" in change.update:
            known["open"] = _place(job.id, urgent=is_urgent(job, now=now))
        values = {**_flat(job), **_WORDS, **known}
        if job.attempts:
            last = job.attempts[-1]
            values |= {"attempt": _plain(last), "secret": last.token, "last_route": last.route}
        index = max(0, len(job.attempts) - 1)
        item = self._write(token, self._table.update("job", _key(job.id), change, index=index, **values), *beside)
        return _job(item) if item else job

    def heard(self, job_id: str) -> Part:
        """The part that notes that the job's webhook has taken its end."""
        return self._table.update("job", _key(job_id), changes.HEARD, true=True)

    def due(self, now: float, *, most_waiting: int) -> Iterator[DueJob]:
        """Open jobs that are due: the urgent ones, then the first `most_waiting` of those that merely wait."""
        yield from self._due([_OF_VERSION_0_1, *_places(urgent=True)], now)
        yield from islice(self._due(_places(urgent=False), now), most_waiting)

    def _due(self, places: Iterable[str], now: float) -> Iterator[DueJob]:
        """The due jobs of these places, the longest due first."""
        condition = "#open = :open AND #due_at <= :now"
        found = (self._table.query("open", condition, open=place, now=now) for place in places)
        for item in merge(*found, key=itemgetter("due_at")):
            yield DueJob(item["pk"].removeprefix("job#"), item["due_at"])

    def _write(self, token: str, *parts: Part) -> Item | None:
        try:
            return self._table.write(*parts)
        except WriteRefused as refused:
            return _own_success(refused, token)


def _own_success(refused: WriteRefused, token: str) -> Item:
    """The job's item, if the refused write repeats one of ours that came through; raises otherwise."""
    if "job" not in refused.items:
        raise refused
    item = refused.items["job"]
    if item is None or item["token"] != token:
        raise Refused(_job(item) if item else None) from refused
    return item


def batch_key(batch: str) -> str:
    """The key of a batch's item."""
    return f"{_BATCH}#{batch}"


def _key(job_id: str) -> str:
    return f"job#{job_id}"


def _place(job_id: str, *, urgent: bool) -> str:
    """Where the job stands in the index of open jobs: one partition of DynamoDB takes 1,000 writes a second."""
    return f"{_URGENT if urgent else _WAITING}#{crc32(job_id.encode()) % SHARDS}"


def _places(*, urgent: bool) -> list[str]:
    return [f"{_URGENT if urgent else _WAITING}#{shard}" for shard in range(SHARDS)]


def _item(job: Job, now: float) -> Item:
    # no outputs must be absent, not empty: a late result is kept only where there is none
    values = {name: value for name, value in _flat(job).items() if value is not None and (value or name != "outputs")}
    opened = {} if job.status.finished else {"open": _place(job.id, urgent=is_urgent(job, now=now))}
    return {"pk": _key(job.id), **opened, **values}


def _flat(job: Job) -> dict[str, Any]:
    """The job's attributes. Those of its leg stand beside the others, as version 0.1 stored them."""
    values: dict[str, Any] = _plain(job)
    leg: dict[str, Any] = values.pop("leg")
    if job.wait and (older := _REASON_FOR_0_1.get(job.wait.reason)):
        values["wait"] |= {"reason": older.value, "exact": job.wait.reason.value}
    return values | leg


def _job(item: Item) -> Job:
    """The job in an item of this version, of an earlier or of a later one: an unknown word is read as the nearest."""
    leg = {name: item[name] for name in _LEG if name in item}
    return msgspec.convert({**item, **_known_words(item), "leg": leg}, Job, strict=False)


def _known_words(item: Item) -> Item:
    """Members of the item with a word of another version in them, as this version reads them."""
    known: Item = {}
    if "status" in item and item["status"] not in [*Status]:
        known["status"] = Status.FAILED if item.get("completed_at") else Status.RUNNING
    if "request" in item and item["request"]["kind"] not in [*Kind]:
        known["request"] = {**item["request"], "kind": Kind.MUSIC}
    wait = item.get("wait") or {}
    if wait.get("exact") in [*WaitReason]:
        known["wait"] = {**wait, "reason": wait["exact"]}
    return known


def _plain(value: object) -> Any:
    return msgspec.to_builtins(value)
