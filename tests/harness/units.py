"""Counts what AWS bills and limits of our code's calls: DynamoDB's units and bytes, and the requests to SQS and S3.

Sizes and units are those of the DynamoDB developer guide ("Item sizes and formats", "Read and write operations", read
2026-11): a write costs a unit for each KB of the larger of old and new item, twice that in a transaction; a
consistent read costs one for each 4 KB. A secondary index of keys costs a unit for each entry that is added or removed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import boto3

_CLIENT = boto3.client
_INDEXES = {"open": ("open", "due_at"), "mine": ("owner", "created_at")}
_WRITES = ("PutItem", "UpdateItem", "DeleteItem")

Item = Mapping[str, Any]


@dataclass(kw_only=True)
class Units:
    """The counts. `read` is in read units, `stored` in bytes, `requests` goes by operation.

    `written` has the write units by the kind of an item's key (`job`, `limit`, `budget` …), `index` by the index.
    """

    written: Counter[str] = field(default_factory=Counter)
    index: Counter[str] = field(default_factory=Counter)
    read: float = 0
    stored: int = 0
    requests: Counter[str] = field(default_factory=Counter)

    def clear(self) -> None:
        """Begins at zero again."""
        vars(self).update(vars(Units()))


@contextmanager
def counted_units(dynamodb: Any, table: str) -> Iterator[Units]:
    """Counts the calls of every boto3 client that is made within the block; `dynamodb` is a client made before."""
    meter = _Meter(dynamodb, table)
    boto3.setup_default_session()
    assert boto3.DEFAULT_SESSION
    boto3.DEFAULT_SESSION.events.register("provide-client-params", meter.before)
    boto3.DEFAULT_SESSION.events.register("after-call", meter.after)
    with patch.object(boto3, "client", _CLIENT):
        yield meter.units
    boto3.setup_default_session()


class _Meter:
    def __init__(self, dynamodb: Any, table: str) -> None:
        self.units = Units()
        self._dynamodb = dynamodb
        self._table = table
        self._seen: dict[str, Item | None] = {}

    def before(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: object) -> None:
        """Remembers the items that a call may change."""
        if context.get("is_presign_request"):
            return
        self.units.requests[model.name] += 1
        self._seen = {key: self._item(key) for key in _keys(model.name, params)}

    def after(self, parsed: dict[str, Any], model: Any, **_: object) -> None:
        """Adds what the call has cost; a write that is refused costs as much."""
        factor = 2 if model.name == "TransactWriteItems" else 1
        for key, seen in self._seen.items():
            self._add_write(key, seen, self._item(key), factor)
        self._seen = {}
        self.units.read += _read(model.name, parsed)

    def _add_write(self, key: str, seen: Item | None, found: Item | None, factor: int) -> None:
        written = factor * max(1, math.ceil(max(_size(seen), _size(found)) / 1024))
        self.units.written[key.partition("#")[0]] += written
        self.units.stored += _size(found) if found != seen else 0
        self.units.index.update({name: _moved(seen, found, keys) for name, keys in _INDEXES.items()})

    def _item(self, key: str) -> Item | None:
        found: Item | None = self._dynamodb.get_item(TableName=self._table, Key={"pk": {"S": key}}).get("Item")
        return found


def _keys(name: str, params: dict[str, Any]) -> list[str]:
    parts = [params] if name in _WRITES else []
    if name == "TransactWriteItems":
        parts = [part for item in params["TransactItems"] for part in item.values()]
    return [str((part.get("Key") or part["Item"])["pk"]["S"]) for part in parts]


def _read(name: str, answer: dict[str, Any]) -> float:
    """Read units; only the indexes are read without consistency, which costs half."""
    if name == "GetItem":
        return max(1, math.ceil(_size(answer.get("Item")) / 4096))
    if name == "BatchGetItem":
        found = [item for items in answer.get("Responses", {}).values() for item in items]
        return sum(max(1, math.ceil(_size(item) / 4096)) for item in found)
    if name == "Query":
        return 0.5 * max(1, math.ceil(sum(map(_size, answer.get("Items", []))) / 4096))
    return 0


def _moved(seen: Item | None, found: Item | None, names: tuple[str, ...]) -> int:
    """An index's entry that is added or removed: none, one or both."""
    before, after = (_entry(item, names) for item in (seen, found))
    return 0 if before == after else (before is not None) + (after is not None)


def _entry(item: Item | None, names: tuple[str, ...]) -> tuple[Any, ...] | None:
    return tuple(map(str, map(item.get, names))) if item and all(name in item for name in names) else None


def _size(item: Item | None) -> int:
    return sum(len(name.encode()) + _bytes(value) for name, value in item.items()) if item else 0


def _bytes(value: Mapping[str, Any]) -> int:
    """The size of one value, with its type as DynamoDB sends it."""
    [(kind, content)] = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return len(content.strip("-0.")) // 2 + 2
        case "B":
            return len(content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _bytes(inner) for name, inner in content.items())
        case "L":
            return 3 + sum(1 + _bytes(inner) for inner in content)
        case _:
            return 1
