"""An entry of an outbox: something to be done by a message, which is sent again until the entry is over."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec.structs import replace


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The members of every entry. Times are epoch seconds.

    The next step may be made from `not_before` on, and `due_at` is the sweeper's next look, None once it is over.
    `token` is the mark of the last write. `owner` is whose entry it is.
    """

    owner: str
    token: str
    not_before: float
    due_at: float | None = None

    @property
    def name(self) -> str:
        """Its name among all entries of its kind."""
        raise NotImplementedError


T = TypeVar("T", bound=Entry)


def looked_at(entry: T, *, now: float, resend_after: float) -> T | None:
    """The entry as the sweeper moves it on before it sends its message; None if it is not due."""
    if entry.due_at is None or entry.due_at > now:
        return None
    return replace(entry, due_at=now + resend_after)
