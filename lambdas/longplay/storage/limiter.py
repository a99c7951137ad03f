"""The lines of the paced accounts in the table: every change to one is a compare-and-set on its version."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from longplay.domain import pacing
from longplay.domain.pacing import Limit, Line
from longplay.storage.table import Item, Part, Table, WriteRefused

LINE = "line"


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """A slot in line time, its real start (epoch seconds), and the part of a write that takes it."""

    account: str
    slot: float
    start: float
    part: Part
    after: Line


class Limiter:
    """Slots and calls under way, by account. An account without a limit is not paced and costs nothing here."""

    def __init__(self, table: Table, limits: Mapping[str, Limit], *, tolerance: float) -> None:
        self._table = table
        self._limits = {account: limit.loosened(tolerance) for account, limit in limits.items()}
        self._tolerance = tolerance
        self._known: dict[str, Line] = {}
        # accounts that others reserve at too, and whether they may have since our last write
        self._shared: dict[str, bool] = {}

    def paces(self, account: str) -> bool:
        """Whether the account has a limit."""
        return account in self._limits

    def line(self, account: str) -> Line:
        """The account's line as it stands now."""
        self._known[account] = _line(self._table.get(_key(account)))
        return self._known[account]

    def line_last_seen(self, account: str) -> Line:
        """The account's line as this limiter last read or wrote it."""
        return self._known.get(account, Line())

    def learn(self, account: str, item: Item | None) -> None:
        """Remember the line that a refused write has found: others reserve too, so it is read before the next one."""
        self._known[account] = _line(item)
        self._shared[account] = False

    def reserve(self, account: str, *, now: float) -> Reservation:
        """The next slot, for a write with the job that will use it; `took` says that the write has held.

        It goes by the line last seen; where that has moved on, the write is refused and `learn` brings it up to date.
        """
        line = self._seen(account)
        slot, after = pacing.reserve(line, self._limits[account], now=now)
        part, after = self._put(account, line, after)
        return Reservation(account=account, slot=slot, start=after.start_of(slot), part=part, after=after)

    def took(self, reservation: Reservation) -> None:
        """Remember the line as the reservation has left it."""
        self._known[reservation.account] = reservation.after
        if reservation.account in self._shared:
            self._shared[reservation.account] = True

    def give_back(self, account: str, slot: float, *, now: float) -> list[Part]:
        """The part that gives a slot back, for a write with the job's end; none when its time has come anyway."""
        line = self.line(account)
        after = pacing.give_back(line, slot, now=now)
        return [] if after == line else [self._put(account, line, after)[0]]

    def start(self, account: str, slot: float | None, *, now: float) -> tuple[float, float]:
        """The slot to start by and its real start: due when that is not after `now`.

        On time it is one read; a start that is late, or has no slot yet, takes one by a write.
        """
        line = self.line(account)
        if slot is not None and line.on_time(slot, now=now, tolerance=self._tolerance):
            return slot, line.start_of(slot)
        return self._move(account, slot, now)

    def call_begins(self, account: str, job_id: str, *, now: float, until: float) -> bool:
        """Whether there is room for one more call at once; it then counts until it ends, or `until`."""
        limit = self._limits[account]
        if limit.max_concurrent is None:
            return True
        room = self._change(account, lambda line: pacing.call_begins(line, limit, job_id, now=now, until=until))
        return room is not None

    def call_ends(self, account: str, job_id: str) -> None:
        """Make room again."""
        limit = self._limits.get(account)
        if limit is None or limit.max_concurrent is None:
            return
        # read anew: a call that another worker began is not in a line remembered from before
        self.line(account)
        self._change(account, lambda line: pacing.call_ends(line, job_id))

    def push(self, account: str, slot: float, *, began: float, now: float, until: float) -> float:
        """Move the whole line so that this slot, whose call began at `began`, starts at `until` at the earliest.

        Returns its start.
        """
        limit, since = self._limits[account], began - self._tolerance
        line = self._change(account, lambda line: pacing.push(line, slot, limit, since=since, now=now, until=until))
        return line.start_of(slot) if line else until

    def _move(self, account: str, slot: float | None, now: float) -> tuple[float, float]:
        limit, moved = self._limits[account], 0.0

        def step(line: Line) -> Line:
            nonlocal moved
            moved, after = (
                pacing.reserve(line, limit, now=now) if slot is None else pacing.move_up(line, slot, limit, now=now)
            )
            return after

        line = self._change(account, step) or Line()
        return moved, line.start_of(moved)

    def _change(self, account: str, step: Callable[[Line], Line | None]) -> Line | None:
        """Apply a step to the line, again on each newer one until the write holds; None where the step says so."""
        line = self._known.get(account, Line())
        while (after := step(line)) is not None:
            if after == line:
                return line
            part, after = self._put(account, line, after)
            try:
                self._table.write(part)
            except WriteRefused as refused:
                self.learn(account, refused.items[LINE])
                line = self._known[account]
                if line.token != after.token:
                    continue
            self._known[account] = after
            return after
        return None

    def _seen(self, account: str) -> Line:
        """The line to reserve by: as last seen while nobody else was met at it, as it stands otherwise."""
        known = self._known.get(account, Line())
        if not self._shared.get(account):
            return known
        self._shared[account] = False
        line = self.line(account)
        if line.version == known.version:
            del self._shared[account]
        return line

    def _put(self, account: str, seen: Line, after: Line) -> tuple[Part, Line]:
        after = replace(after, version=seen.version + 1, token=secrets.token_hex(8))
        item = {"pk": _key(account), **msgspec.to_builtins(after)}
        if seen.version == 0:
            return self._table.put(LINE, item, "attribute_not_exists(pk)"), after
        return self._table.put(LINE, item, "version = :seen", seen=seen.version), after


def _line(item: Item | None) -> Line:
    return msgspec.convert(item, Line, strict=False) if item else Line()


def _key(account: str) -> str:
    return f"limit#{account}"
