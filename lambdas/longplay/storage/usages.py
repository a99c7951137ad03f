"""The items that count usage: one a day for an owner, a model and a shard. The ends of jobs write them (ends.py)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from itertools import islice

import msgspec

from longplay.domain.usage import Counted, Usage, today
from longplay.storage.table import Table

_AT_ONCE = 100  # items of one read


class Usages:
    """Usage by owner, day (UTC) and model."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def of_owner(self, owner: str, *, since: date) -> Iterator[Counted]:
        """The owner's usage since a day, in any order. The first job of a day may be missing for a second."""
        condition = "#owner = :owner AND #created_at >= :since"
        midnight = datetime.combine(since, time(), UTC).timestamp()
        found = self._table.query("mine", condition, owner=f"usage#{owner}", since=midnight)
        while keys := [item["pk"] for item in islice(found, _AT_ONCE)]:
            for item in self._table.get_all(keys).values():
                usage = msgspec.convert(item, Usage, strict=False)
                yield Counted(day=today(item["created_at"]), model=item["model"], usage=usage)
