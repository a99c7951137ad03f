"""Rate limits: a line of reserved slots that keeps the starts in every rolling window within the provider's limit.

Slots are stored in line time: the real start of a slot is the slot plus the line's `shift`. To push the whole line
back (after a 429 or a pause), only this one number changes; order and spacing stay the same. A call that started
before the push then appears to have started later than it did, never earlier. This is safe because no call starts
between the push and the line's `resume_at`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

MOST_STARTS = 10_000  # the log of starts is one item in DynamoDB, read and written as a whole
LONGEST_WINDOW = 366 * 24 * 3600  # seconds

_WINDOWS = f"pairs [starts, seconds], with 1 to {MOST_STARTS} starts and at most {LONGEST_WINDOW} seconds"
_COUNTED = 100  # slots kept so that a job can be told its place


class Window(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """At most `starts` calls within any `seconds`; `[starts, seconds]` in settings."""

    starts: Annotated[int, Meta(ge=1, le=MOST_STARTS)]
    seconds: Annotated[float, Meta(gt=0, le=LONGEST_WINDOW)]


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Limits of one provider account. `max_concurrent` None: as many concurrent calls as there are workers."""

    windows: Annotated[tuple[Window, ...], Meta(min_length=1, description=_WINDOWS)] = ()
    max_concurrent: Annotated[int, Meta(ge=1, le=1_000)] | None = None

    def loosened(self, tolerance: float) -> Limit:
        """The limit with each window `tolerance` seconds longer, so that starts may be late by up to `tolerance`."""
        return replace(self, windows=tuple(Window(w.starts, w.seconds + tolerance) for w in self.windows))

    @property
    def longest_log(self) -> int:
        """How many of the latest slots are kept: enough to choose the next one, and to count positions."""
        return max([_COUNTED, *(window.starts for window in self.windows)])


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One account's line: `log` has the latest slots in ascending order, `freed` those of them given back.

    A slot given back stays in `log`: it counts as a start until another job takes it or its time has passed.
    No call starts before `resume_at`. `leases` has, for each job with a running call, when its lease ends.
    All times are epoch seconds.
    """

    version: int = 0
    token: str = ""
    log: tuple[float, ...] = ()
    freed: tuple[float, ...] = ()
    shift: float = 0.0
    resume_at: float = 0.0
    leases: Mapping[str, float] = {}

    def start_of(self, slot: float) -> float:
        """The real time (epoch seconds) at which the call of a slot may start."""
        return max(slot + self.shift, self.resume_at)

    def earliest(self, now: float) -> float:
        """The first slot that has not passed yet."""
        return max(now, self.resume_at) - self.shift

    def on_time(self, slot: float, *, now: float, tolerance: float) -> bool:
        """Whether a start by this slot is still ahead, or at most `tolerance` seconds late."""
        return self.earliest(now) <= slot + tolerance

    def place_of(self, slot: float, *, now: float) -> int | None:
        """The position of a slot among the coming starts, from 1; None if the line is longer than the kept slots."""
        if not self.log or self.start_of(self.log[0]) > now:
            return None
        return sum(1 for other in self.log if now < self.start_of(other) and other <= slot)


def reserve(line: Line, limit: Limit, *, now: float) -> tuple[float, Line]:
    """The earliest slot that keeps every window (one given back, or one at the end), and the line with it."""
    earliest = line.earliest(now)
    freed = tuple(slot for slot in line.freed if slot >= earliest)
    if freed:
        return freed[0], replace(line, freed=freed[1:])
    windows = (line.log[-w.starts] + w.seconds for w in limit.windows if len(line.log) >= w.starts)
    slot = max([earliest, *line.log[-1:], *windows])
    return slot, replace(line, freed=(), log=(*line.log, slot)[-limit.longest_log :])


def give_back(line: Line, slot: float, *, now: float) -> Line:
    """The line with a reserved slot given back; the next job may take it."""
    if line.start_of(slot) <= now:
        return line
    return replace(line, freed=tuple(sorted((*line.freed, slot))))


def move_up(line: Line, slot: float, limit: Limit, *, now: float) -> tuple[float, Line]:
    """The new slot for a start that missed its slot, and the line with it: now if safe, else the next free slot.

    Starting now is safe if every window still holds. It is also safe if no later slot is due yet, because the line
    behind it can move back by as much as the start is late.
    """
    at_once = line.earliest(now)
    moved = tuple(sorted(at_once if other == slot else other for other in line.log))
    if slot in line.log and _keeps_windows(moved, limit):
        return at_once, replace(line, log=moved)
    if slot in line.log and not any(slot < other <= at_once for other in line.log):
        return slot, replace(line, shift=line.shift + at_once - slot)
    return reserve(line, limit, now=now)


def push(line: Line, slot: float, limit: Limit, *, since: float, now: float, until: float) -> Line:
    """The line moved back until this slot starts at `until`; it never moves forward.

    `since` is when the refused call was due. If a whole window has passed since then, other calls have started in
    the meantime, and the line also waits for the length of that window.
    """
    waited_out = [now + window.seconds for window in limit.windows if now - since >= window.seconds]
    resume_at = max([line.resume_at, until, *waited_out])
    return replace(line, shift=max(line.shift, resume_at - slot), resume_at=resume_at)


def call_begins(line: Line, limit: Limit, job_id: str, *, now: float, until: float) -> Line | None:
    """The line with one more running call, leased until `until`; None if the concurrency limit is reached."""
    live = {job: end for job, end in line.leases.items() if end > now and job != job_id}
    if limit.max_concurrent is not None and len(live) >= limit.max_concurrent:
        return None
    return replace(line, leases={**live, job_id: until})


def call_ends(line: Line, job_id: str) -> Line:
    """The line without the running call of this job."""
    return replace(line, leases={job: end for job, end in line.leases.items() if job != job_id})


def _keeps_windows(log: Sequence[float], limit: Limit) -> bool:
    return all(
        later - earlier >= window.seconds
        for window in limit.windows
        for earlier, later in zip(log, log[window.starts :], strict=False)
    )
