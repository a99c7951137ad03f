"""The reserved starts of paced accounts: one item an account, changed by compare-and-set on its version."""

from __future__ import annotations

import secrets
import struct
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from longplay.domain import changes, pacing
from longplay.domain.pacing import Limit, Line, Outlook
from longplay.storage.circuits import Circuit
from longplay.storage.table import Item, Part, Table, WriteRefused

LINE = "line"
_LONGEST_LIST = 200  # slots
_LINE_SHOWN = 5.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """A slot in line time, its real start (epoch seconds), and the part of a write that reserves it."""

    account: str
    slot: float
    start: float
    part: Part
    after: Line


class Limiter:
    """Slots and calls under way, by account. An account without a limit is not paced and costs no read or write."""

    def __init__(self, table: Table, limits: Mapping[str, Limit], *, tolerance: float) -> None:
        self._table = table
        self._limits = {account: limit.loosened(tolerance) for account, limit in limits.items()}
        self._tolerance = tolerance
        self._known: dict[str, Line] = {}
        self._refused: dict[str, Circuit] = {}
        # accounts where other functions reserve too, and whether they may have done so since our last write
        self._shared: dict[str, bool] = {}

    def pause(self, account: str, refusal: Circuit) -> None:
        """Remember that this worker was refused at the account; it makes no call there while that holds."""
        self._refused[account] = refusal

    def paused(self, account: str, *, now: float) -> Circuit | None:
        """The refusal this worker met recently at the account, if it still holds. Reads no table."""
        refusal = self._refused.get(account)
        return refusal if refusal and refusal.until > now else None

    def paces(self, account: str) -> bool:
        """Whether the account has a limit."""
        return account in self._limits

    def line(self, account: str) -> Line:
        """The account's line as it stands now."""
        self._known[account] = read_line(self._table.get(_key(account)))
        return self._known[account]

    def line_last_seen(self, account: str) -> Line:
        """The account's line as last read or written here."""
        return self._known.get(account, Line())

    def learn(self, account: str, item: Item | None) -> None:
        """Remember the line a refused write found. Other functions reserve too, so the next write reads it first."""
        self._known[account] = read_line(item)
        self._shared[account] = False

    def reserve(self, account: str, *, now: float) -> Reservation:
        """The next slot, for the write that creates its job. Call `took` once that write has succeeded.

        It uses the line as last seen. If the line has changed, the write is refused; `learn` then updates it.
        """
        line = self._seen(account)
        slot, after = pacing.reserve(line, self._limits[account], now=now)
        part, after = self._put(account, line, after)
        return Reservation(account=account, slot=slot, start=after.start_of(slot), part=part, after=after)

    def took(self, reservation: Reservation) -> None:
        """Remember the line after the reservation."""
        self._known[reservation.account] = reservation.after
        if reservation.account in self._shared:
            self._shared[reservation.account] = True

    def give_back(self, account: str, slot: float) -> list[Part]:
        """The part that gives an unused slot back, for the write that ends its job; none if the log has it no more."""
        line = self.line(account)
        after = pacing.give_back(line, slot)
        return [] if after == line else [self._put(account, line, after)[0]]

    def start(self, account: str, slot: float | None, *, now: float) -> tuple[float, float]:
        """The slot and its real start. The call may start if that is not after `now`.

        A start on time costs one read. A late start, or one without a slot, reserves a slot by a write.
        """
        line = self.line(account)
        if slot is not None and line.on_time(slot, now=now, tolerance=self._tolerance):
            return slot, line.start_of(slot)
        return self._move(account, slot, now)

    def call_begins(self, account: str, job_id: str, *, now: float, until: float) -> bool:
        """Whether one more call may be under way. It then counts until `call_ends`, or until `until`.

        A job that finds no room is told by the end of another call, as far as the list of those that wait has room.
        """
        limit = self._limits[account]
        if limit.max_concurrent is None:
            return True
        line = self._change(account, lambda line: pacing.call_begins(line, limit, job_id, now=now, until=until))
        return job_id in line.leases

    def call_ends(self, account: str, job_id: str, *, now: float) -> list[str]:
        """The call no longer counts. Returns the jobs that have room now; they have to be told."""
        limit = self._limits.get(account)
        if limit is None or limit.max_concurrent is None:
            return []
        told: list[str] = []

        def step(line: Line) -> Line:
            nonlocal told
            after = pacing.call_ends(line, limit, job_id, now=now)
            told = [job for job in line.waiting if job not in after.waiting and job != job_id]
            return after

        self.line(account)  # a call that another worker began is not in the remembered line
        self._change(account, step)
        return told

    def looks_for_room_in(self, account: str, job_id: str, *, typical: float) -> float:
        """Seconds until a job that found no room looks again. `typical` is how many seconds a call takes."""
        line = self.line_last_seen(account)
        return pacing.looks_for_room_in(line, self._limits[account], job_id, typical=typical)

    def room_in(self, account: str, line: Line, job_id: str, *, typical: float) -> float:
        """Seconds until there is room for the call of a job that waits for it, as far as the line tells."""
        return pacing.room_expected_in(line, self._limits[account], job_id, typical=typical)

    def outlook(self, account: str, line: Line, *, now: float) -> Outlook:
        """When a new call could start by this line, and what the account's windows leave."""
        return pacing.outlook(line, self._limits[account], now=now)

    def starts(self, account: str, line: Line, *, count: int, now: float) -> list[float]:
        """When so many more calls could start by this line (epoch seconds)."""
        return pacing.starts_of(line, self._limits[account], count=count, now=now)

    def under_way(self, account: str) -> Mapping[str, float]:
        """When the lease of each call that counts ends, as last seen here."""
        return self.line_last_seen(account).leases

    def push(self, account: str, slot: float, *, began: float, now: float, until: float) -> float:
        """Move the whole line back until this slot, whose call began at `began`, starts no earlier than `until`.

        Returns its start.
        """
        limit, since = self._limits[account], began - self._tolerance
        line = self._change(account, lambda line: pacing.push(line, slot, limit, since=since, now=now, until=until))
        return line.start_of(slot)

    def _move(self, account: str, slot: float | None, now: float) -> tuple[float, float]:
        limit, moved = self._limits[account], 0.0

        def step(line: Line) -> Line:
            nonlocal moved
            moved, after = (
                pacing.reserve(line, limit, now=now) if slot is None else pacing.move_up(line, slot, limit, now=now)
            )
            return after

        line = self._change(account, step)
        return moved, line.start_of(moved)

    def _change(self, account: str, step: Callable[[Line], Line]) -> Line:
        """Write the line after a step, and take the step again on each newer line."""
        line = self._known.get(account, Line())
        while (after := step(line)) != line:
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
        return line

    def _seen(self, account: str) -> Line:
        """The line to reserve on: as last seen if only this function reserves, else as it stands."""
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
        item = {"pk": _key(account), **msgspec.to_builtins(replace(after, log=())), **_stored(after.log)}
        if seen.version == 0:
            return self._table.put(LINE, item, changes.LINE_START), after
        return self._table.put(LINE, item, changes.LINE_NEXT, seen=seen.version), after


class LinesInView:
    """The lines that waiting callers look at. A line is read again once it is 5 s old, however many callers poll."""

    def __init__(self, limiter: Limiter, *, clock: Callable[[], float] = time.time) -> None:
        self._limiter = limiter
        self._clock = clock
        self._read: dict[str, tuple[float, Line]] = {}

    def line(self, account: str) -> Line:
        """The account's line, at most 5 s old."""
        now = self._clock()
        read_at, line = self._read.get(account, (now - _LINE_SHOWN, Line()))
        if not 0 <= now - read_at < _LINE_SHOWN:
            line = self._limiter.line(account)
            self._read[account] = (now, line)
        return line


def read_line(item: Item | None) -> Line:
    """The line of an item, empty if there is none. Version 0.1 left slots that were given back in `log`."""
    if item is None:
        return Line()
    log = item["log"] if isinstance(item["log"], list) else _unpacked("d", bytes(item["log"]))
    if "counts" in item:
        log = [
            slot for slot, count in zip(log, _unpacked("H", bytes(item["counts"])), strict=True) for _ in range(count)
        ]
    line = msgspec.convert({**item, "log": log}, Line, strict=False)
    for slot in item.get("freed", ()):
        line = pacing.give_back(line, slot)
    return line


def _stored(log: tuple[float, ...]) -> dict[str, list[float] | bytes]:
    """A list, which version 0.1 can read too. A long log is stored as its different slots and how often each is in it.

    A list is slow to convert, so more than 200 different slots are stored as bytes: eight for each, two for its count.
    """
    if len(log) <= _LONGEST_LIST:
        return {"log": [*log]}
    counts = Counter(log)
    slots = [*counts]
    stored = slots if len(slots) <= _LONGEST_LIST else _packed("d", slots)
    return {"log": stored} if len(slots) == len(log) else {"log": stored, "counts": _packed("H", [*counts.values()])}


def _packed(kind: Literal["d", "H"], values: Sequence[float]) -> bytes:
    return struct.pack(f"<{len(values)}{kind}", *values)


def _unpacked(kind: Literal["d", "H"], packed: bytes) -> Sequence[Any]:
    return struct.unpack(f"<{len(packed) // struct.calcsize(kind)}{kind}", packed)


def _key(account: str) -> str:
    return f"limit#{account}"
