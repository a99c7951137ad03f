"""The amounts that jobs give back to a budget: in shards, so that many ends a second do not meet at one item."""

from __future__ import annotations

from collections.abc import Mapping
from zlib import crc32

from longplay.domain import changes
from longplay.storage.table import Item, Part, Table, WriteRefused

SHARDS = 8  # items of a budget on a day, beside its own
_AMOUNTS = ("used", "waiting", "held", "ends")


def give_back(table: Table, budget: str, key: str, job_id: str, **values: int) -> Part:
    """The part that gives back to the budget whose item is `key`. It is free again when it is collected."""
    return table.update(budget, _shards(key)[crc32(job_id.encode()) % SHARDS], changes.GIVE_BACK, **values)


def as_it_stands(table: Table, key: str) -> Item | None:
    """The item of the budget less all that was given back, which stays where it is; None without a job."""
    budget, shards = _read(table, key)
    returned = _sums(shards)
    return budget and {**budget, **{name: budget.get(name, 0) - amount for name, amount in returned.items()}}


def collected(table: Table, key: str) -> Item | None:
    """The item of the budget after all that was given back is moved to it; None without a job.

    What an end gives back in between stays in its shard until the next time.
    """
    budget, shards = _read(table, key)
    if budget is None or not shards:
        return budget
    _collect(table, key, shards)
    return table.get(key)


def _read(table: Table, key: str) -> tuple[Item | None, dict[str, Item]]:
    """The budget, and those of its shards that have something."""
    items = table.get_all([key, *_shards(key)])
    return items.pop(key, None), {name: item for name, item in items.items() if item["waiting"]}


def _sums(shards: Mapping[str, Item]) -> dict[str, int]:
    return {name: sum(item[name] for item in shards.values()) for name in _AMOUNTS}


def _collect(table: Table, key: str, shards: dict[str, Item]) -> None:
    """Moves the amounts of the shards to the budget, but not of those that have changed since they were read."""
    while shards:
        try:
            table.write(
                _moved(table, key, _sums(shards)), *(_emptied(table, name, item) for name, item in shards.items())
            )
        except WriteRefused as refused:
            shards = {name: item for name, item in shards.items() if name not in refused.items}
        else:
            return


def _moved(table: Table, key: str, moved: Mapping[str, int]) -> Part:
    values = {"back": moved["used"], "jobs": moved["waiting"], "held": moved["held"], "ends": moved["ends"], "zero": 0}
    return table.update(key, key, changes.SETTLE, **values)


def _emptied(table: Table, key: str, shard: Item) -> Part:
    return table.update(key, key, changes.COLLECT, zero=0, one=1, seen=shard["version"])


def _shards(key: str) -> list[str]:
    return [f"returned{key.removeprefix('budget')}#{shard}" for shard in range(SHARDS)]
