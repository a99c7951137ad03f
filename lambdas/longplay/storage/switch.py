"""The operator's switch for new jobs, read from the table and remembered for half a minute."""

from __future__ import annotations

import time
from collections.abc import Callable

from longplay.domain.errors import Paused
from longplay.storage.table import Table

KEY = "settings"
SECONDS_KEPT = 30.0


class Switch:
    """The item `settings` with `paused_until` (epoch seconds); without it, jobs are taken."""

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock
        self._paused_until = 0.0
        self._fresh_until = 0.0

    def check(self) -> None:
        """Raises Paused while the operator has paused new jobs."""
        now = self._clock()
        if now >= self._fresh_until:
            self._paused_until = (self._table.get(KEY) or {}).get("paused_until", 0.0)
            self._fresh_until = now + SECONDS_KEPT
        if now < self._paused_until:
            raise Paused(
                "The operator has paused new jobs; jobs under way finish. Send the request again later.",
                retry_after=max(1, round(self._paused_until - now)),
            )
