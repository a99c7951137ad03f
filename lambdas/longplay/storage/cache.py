"""Results by request: the job that generates one now, or the files of one."""

from __future__ import annotations

from typing import Any

import msgspec

from longplay.domain import changes
from longplay.domain.changes import Change
from longplay.domain.job import Job, Output
from longplay.domain.settings import CacheScope
from longplay.storage.ends import ENTRY
from longplay.storage.table import Item, Part, Table

_GRACE = 60  # seconds past its deadline for which a leader still counts as alive


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The leading job, until when (epoch seconds) it counts as alive, and the files once they are there."""

    leader: str
    until: float
    outputs: tuple[Output, ...] = ()


class ResultCache:
    """One entry for each request of an owner, or of the deployment."""

    def __init__(self, table: Table, scope: CacheScope) -> None:
        self._table = table
        self._scope = scope

    def key(self, owner: str, fingerprint: str) -> str | None:
        """The key of a request's entry; None if the cache is off."""
        if self._scope is CacheScope.OFF:
            return None
        return f"cache#{owner if self._scope is CacheScope.OWNER else 'ALL'}#{fingerprint}"

    def entry(self, key: str) -> Entry | None:
        """The entry as it stands now."""
        return read_entry(self._table.get(key))

    def claim(self, job: Job, *, now: float) -> Part:
        """The part that makes the job the leader, unless there is a result or a live leader."""
        return self._lead(changes.CACHE_CLAIM, job, now=now)

    def reclaim(self, job: Job, *, dead: str) -> Part:
        """The part that makes the job the leader in place of one that is gone, or whose files are gone."""
        return self._lead(changes.CACHE_RECLAIM, job, dead=dead)

    def replace(self, job: Job) -> Part:
        """The part that makes the job the leader in any case."""
        return self._lead(changes.CACHE_REPLACE, job)

    def _lead(self, change: Change, job: Job, **values: Any) -> Part:
        return self._table.update(
            ENTRY,
            str(job.cache_key),
            change,
            leader=job.id,
            until=job.deadline + _GRACE,
            expires_at=job.expires_at,
            **values,
        )


def read_entry(item: Item | None) -> Entry | None:
    """The entry in an item."""
    return msgspec.convert(item, Entry, strict=False) if item else None
