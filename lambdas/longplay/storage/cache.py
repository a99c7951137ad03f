"""Results by request: the job that generates one now, or the files of one."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec

from longplay.domain import changes
from longplay.domain.changes import Change
from longplay.domain.job import Job, Output
from longplay.domain.settings import CacheScope
from longplay.storage.ends import ENTRY
from longplay.storage.table import Item, Part, Table

MOST_FOLLOWERS = 100  # that are told when their leader ends
_GRACE = 60  # seconds past its deadline for which a leader still counts as alive


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The leading job, until when (epoch seconds) it counts as alive, and the files once they are there.

    `followers` are told when the leader ends; those beyond `MOST_FOLLOWERS` look for themselves.
    """

    leader: str
    until: float
    outputs: tuple[Output, ...] = ()
    followers: tuple[str, ...] = ()


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

    def follow(self, job: Job, entry: Entry) -> list[Part]:
        """The part that has the job told when its leader ends; none where the list is full."""
        if len(entry.followers) >= MOST_FOLLOWERS:
            return []
        values: dict[str, Any] = {"leader": entry.leader, "none": [], "follower": [job.id]}
        part = self._table.update(ENTRY, str(job.cache_key), changes.CACHE_FOLLOW, **values)
        return [dataclasses.replace(part, optional=True)]

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
