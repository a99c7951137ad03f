"""The sweeper of an outbox: sends the message of each entry that is due, since it was lost or its wait was too long."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Generic, TypeVar

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from longplay.domain.errors import LongplayError
from longplay.domain.outbox import Entry, looked_at
from longplay.storage.outbox import Outbox, OutboxQueue

MOST_AT_ONCE = 500  # entries that a run looks at; the longest due come first

T = TypeVar("T", bound=Entry)


@dataclass(frozen=True, kw_only=True)
class OutboxSweeper(Generic[T]):
    """Moves each due entry along the index, then sends its message. `clock` gives epoch seconds."""

    entries: Outbox[T]
    queue: OutboxQueue
    resend_after: float
    clock: Callable[[], float] = time.time

    def sweep(self, *, seconds: float) -> int:
        """Look at the due entries for so long, and return their number. Raises an ExceptionGroup of the failures."""
        now = self.clock()
        due = takewhile(lambda _: self.clock() < now + seconds, islice(self.entries.due(now), MOST_AT_ONCE))
        looks = [self._attend(name) for name in due]
        if failures := [failure for failure in looks if failure]:
            raise ExceptionGroup(f"{len(failures)} of {len(looks)} due entries could not be seen to", failures)
        return len(looks)

    def _attend(self, name: str) -> Exception | None:
        """The failure, if there was one: no entry keeps the sweeper from the others."""
        try:
            self._look_at(name)
        except (LongplayError, ClientError, BotoCoreError, msgspec.ValidationError) as error:
            error.add_note(f"{self.queue.kind} {name}")
            return error
        return None

    def _look_at(self, name: str) -> None:
        now, seen = self.clock(), self.entries.find(name)
        moved = looked_at(seen, now=now, resend_after=self.resend_after) if seen else None
        if seen is None or moved is None:
            return
        if written := self.entries.next(moved, seen=seen):
            self.queue.send(written, now=now)
