"""The sweeper of hooks: sends the message of each that is due again, since it was lost or its wait was too long."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from msgspec.structs import replace

from longplay.domain.hooks import looked_at
from longplay.storage.hooks import Hooks
from longplay.storage.patience import Unavailable
from longplay.storage.queue import HookQueue

MOST_AT_ONCE = 500  # hooks that a run looks at; the longest due come first
LONGEST_RUN = 8.0  # seconds; the jobs come after them in the same run

_log = logging.getLogger("longplay.hooks")


@dataclass(frozen=True, kw_only=True)
class HookSweeper:
    """Moves each due hook along the index, then sends its message. `clock` gives epoch seconds."""

    hooks: Hooks
    queue: HookQueue
    resend_after: float
    clock: Callable[[], float] = time.time

    def sweep(self) -> int:
        """Look at the due hooks and return their number. An error of AWS leaves the rest to the next run."""
        began, seen = self.clock(), 0
        try:
            for name in islice(self.hooks.due(began), MOST_AT_ONCE):
                if self.clock() > began + LONGEST_RUN:
                    break
                self._look_at(name)
                seen += 1
        except Unavailable as error:
            _log.warning("hooks left to the next run: %s", error.cause)
        return seen

    def _look_at(self, name: str) -> None:
        now, seen = self.clock(), self.hooks.find(name)
        moved = looked_at(seen, now=now, resend_after=self.resend_after) if seen else None
        if seen is None or moved is None:
            return
        written = replace(moved, token=secrets.token_hex(8))
        if self.hooks.next(written, seen=seen):
            self.queue.send(written, now=now)
