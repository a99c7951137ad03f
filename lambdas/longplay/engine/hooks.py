"""The sweeper of hooks: sends the message of each that is due again, since it was lost or its wait was too long."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, takewhile

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from longplay.domain.errors import LongplayError
from longplay.domain.hooks import looked_at
from longplay.storage.hook_queue import HookQueue
from longplay.storage.hooks import Hooks

MOST_AT_ONCE = 500  # hooks that a run looks at; the longest due come first


@dataclass(frozen=True, kw_only=True)
class HookSweeper:
    """Moves each due hook along the index, then sends its message. `clock` gives epoch seconds."""

    hooks: Hooks
    queue: HookQueue
    resend_after: float
    clock: Callable[[], float] = time.time

    def sweep(self, *, seconds: float) -> int:
        """Look at the due hooks for so long, and return their number. Raises an ExceptionGroup of the failures."""
        now = self.clock()
        due = takewhile(lambda _: self.clock() < now + seconds, islice(self.hooks.due(now), MOST_AT_ONCE))
        looks = [self._attend(name) for name in due]
        if failures := [failure for failure in looks if failure]:
            raise ExceptionGroup(f"{len(failures)} of {len(looks)} due hooks could not be seen to", failures)
        return len(looks)

    def _attend(self, name: str) -> Exception | None:
        """The failure, if there was one: no hook keeps the sweeper from the others."""
        try:
            self._look_at(name)
        except (LongplayError, ClientError, BotoCoreError, msgspec.ValidationError) as error:
            error.add_note(f"hook {name}")
            return error
        return None

    def _look_at(self, name: str) -> None:
        now, seen = self.clock(), self.hooks.find(name)
        moved = looked_at(seen, now=now, resend_after=self.resend_after) if seen else None
        if seen is None or moved is None:
            return
        if written := self.hooks.next(moved, seen=seen):
            self.queue.send(written, now=now)
