"""The items of hooks. The open ones stand in the index of open jobs, in partitions that are theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from operator import itemgetter
from zlib import crc32

import msgspec
from msgspec.structs import replace

from longplay.domain import changes
from longplay.domain.hooks import Happening, Hook, Target, hook_name
from longplay.storage.table import Item, Part, Table, WriteRefused, new_token

_SHARDS = 4


class Hooks:
    """Hooks by name. Each method raises Unavailable."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, hook: Hook) -> Part:
        """The part that writes a new hook."""
        return self._table.put("hook", _item(hook), changes.HOOK_PUT)

    def find(self, name: str) -> Hook | None:
        """The hook as it stands now."""
        item = self._table.get(_key(name))
        return _hook(item) if item else None

    def of_job(self, job_id: str, target: Target) -> list[Hook]:
        """All that was told, or is to be told, of a job to this target, the earliest first."""
        keys = [_key(hook_name(job_id, happening, target)) for happening in Happening]
        hooks = map(_hook, self._table.get_all(keys).values())
        return sorted(hooks, key=lambda hook: hook.happened_at)

    def next(self, hook: Hook, *, seen: Hook, beside: Sequence[Part] = ()) -> Hook | None:
        """Write the hook as a step leaves it, and return it with its new token; None if another step came first."""
        after = replace(hook, token=new_token())
        try:
            self._table.write(self._table.put("hook", _item(after), changes.HOOK_NEXT, seen=seen.token), *beside)
        except WriteRefused as refused:
            found = refused.items.get("hook")
            if found is None or found["token"] != after.token:  # not a repeat of this write, after a lost reply
                return None
        return after

    def due(self, now: float) -> Iterator[str]:
        """The names of the hooks that are due, the longest due first."""
        condition = "#open = :open AND #due_at <= :now"
        found = (self._table.query("open", condition, open=f"hooks#{shard}", now=now) for shard in range(_SHARDS))
        for item in merge(*found, key=itemgetter("due_at")):
            yield item["pk"].removeprefix("hook#")


def _key(name: str) -> str:
    return f"hook#{name}"


def _item(hook: Hook) -> Item:
    values = {name: value for name, value in msgspec.to_builtins(hook).items() if value is not None}
    opened = {"open": f"hooks#{crc32(hook.job.encode()) % _SHARDS}"} if hook.due_at is not None else {}
    return {"pk": _key(hook.name), **values, **opened}


def _hook(item: Item) -> Hook:
    return msgspec.convert(item, Hook, strict=False)
