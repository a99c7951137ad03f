"""How long generations take here, by model and route: the basis of an ETA."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from longplay.domain.catalogue import Route
from longplay.storage.ends import timing_key
from longplay.storage.table import Table

SECONDS_KEPT = 300.0
FROM_CATALOGUE = "the catalogue's figure for this route"


@dataclass(frozen=True)
class Timing:
    """Seconds a generation takes, and where the figure comes from."""

    seconds: float
    basis: str


class Timings:
    """Totals in the table. The write that ends a job adds to them (ends.py), so each generation counts once."""

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock
        self._known: dict[str, tuple[float, Timing | None]] = {}

    def of(self, model: str, route: Route) -> Timing:
        """The mean of this week's generations, or the catalogue's figure; remembered for five minutes."""
        key = timing_key(model, route.name, self._clock())
        fresh_until, timing = self._known.get(key, (0.0, None))
        if self._clock() >= fresh_until:
            timing = self._read(key)
            self._known[key] = (self._clock() + SECONDS_KEPT, timing)
        return timing or Timing(route.typical_seconds, FROM_CATALOGUE)

    def _read(self, key: str) -> Timing | None:
        item = self._table.peek(key)
        if not item:
            return None
        count = item["count"]
        return Timing(round(item["milliseconds"] / count / 1000, 1), f"the mean of {count} generations here this week")
