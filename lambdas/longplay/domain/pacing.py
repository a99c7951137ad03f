"""When a call may start: a line of reserved slots in which no rolling window holds more than its provider allows.

Slots are kept in line time: a slot's real start is the slot plus the line's `shift`. Pushing the whole line back
(a 429, a pause) is therefore one number, and order and spacing stay. What had started before the push then seems to
have started later than it did, never earlier: nothing starts between the push and the line's `resume_at`.
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
    """What a provider's account allows. `max_concurrent` None means as many calls at once as there are workers."""

    windows: Annotated[tuple[Window, ...], Meta(min_length=1, description=_WINDOWS)] = ()
    max_concurrent: Annotated[int, Meta(ge=1, le=1_000)] | None = None

    def loosened(self, tolerance: float) -> Limit:
        """The same with each window longer by `tolerance` seconds: a start may then be that late and harm nobody."""
        return replace(self, windows=tuple(Window(w.starts, w.seconds + tolerance) for w in self.windows))

    @property
    def longest_log(self) -> int:
        """How many of the latest slots are kept: those that decide about the next one, and some to count places."""
        return max([_COUNTED, *(window.starts for window in self.windows)])


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One account's line: the latest slots in ascending order, those of them given back, the calls under way.

    A slot given back stays in `log`: it counts as taken until somebody takes it again or its time has passed.
    Nothing starts before `resume_at`. `leases` holds until when each job's call may be under way.
    """

    version: int = 0
    token: str = ""
    log: tuple[float, ...] = ()
    freed: tuple[float, ...] = ()
    shift: float = 0.0
    resume_at: float = 0.0
    leases: Mapping[str, float] = {}

    def start_of(self, slot: float) -> float:
        """The real time (epoch seconds) at which a slot's call may start."""
        return max(slot + self.shift, self.resume_at)

    def earliest(self, now: float) -> float:
        """The first slot that is not over yet."""
        return max(now, self.resume_at) - self.shift

    def on_time(self, slot: float, *, now: float, tolerance: float) -> bool:
        """Whether a start by this slot is still to come, or no more than `tolerance` seconds late."""
        return self.earliest(now) <= slot + tolerance

    def place_of(self, slot: float, *, now: float) -> int | None:
        """How many starts come before this one, itself included; None where the line is longer than is kept."""
        if not self.log or self.start_of(self.log[0]) > now:
            return None
        return sum(1 for other in self.log if now < self.start_of(other) and other <= slot)


def reserve(line: Line, limit: Limit, *, now: float) -> tuple[float, Line]:
    """The earliest slot that keeps every window, and the line with it: one given back, or one at the line's end."""
    earliest = line.earliest(now)
    freed = tuple(slot for slot in line.freed if slot >= earliest)
    if freed:
        return freed[0], replace(line, freed=freed[1:])
    windows = (line.log[-w.starts] + w.seconds for w in limit.windows if len(line.log) >= w.starts)
    slot = max([earliest, *line.log[-1:], *windows])
    return slot, replace(line, freed=(), log=(*line.log, slot)[-limit.longest_log :])


def give_back(line: Line, slot: float, *, now: float) -> Line:
    """The line after a reserved start was called off; whoever comes next may have it."""
    if line.start_of(slot) <= now:
        return line
    return replace(line, freed=tuple(sorted((*line.freed, slot))))


def move_up(line: Line, slot: float, limit: Limit, *, now: float) -> tuple[float, Line]:
    """A start that missed its slot: at once where that harms nobody, at the next free slot otherwise.

    It harms nobody where every window holds all the same; nor where nobody else's turn has come meanwhile, because the
    line behind it can move back by as much as it is late.
    """
    at_once = line.earliest(now)
    moved = tuple(sorted(at_once if other == slot else other for other in line.log))
    if slot in line.log and _keeps(moved, limit):
        return at_once, replace(line, log=moved)
    if slot in line.log and not any(slot < other <= at_once for other in line.log):
        return slot, replace(line, shift=line.shift + at_once - slot)
    return reserve(line, limit, now=now)


def push(line: Line, slot: float, limit: Limit, *, since: float, now: float, until: float) -> Line:
    """The whole line moved back so that this slot starts at `until`; never forward.

    `since` is when its refused call was due. Where a window has passed since then, others have had their turn in it
    meanwhile, and the line waits that window out.
    """
    waited_out = [now + window.seconds for window in limit.windows if now - since >= window.seconds]
    resume_at = max([line.resume_at, until, *waited_out])
    return replace(line, shift=max(line.shift, resume_at - slot), resume_at=resume_at)


def call_begins(line: Line, limit: Limit, job_id: str, *, now: float, until: float) -> Line | None:
    """The line with one more call under way, at the latest until `until`; None when there are as many as may be."""
    live = {job: end for job, end in line.leases.items() if end > now and job != job_id}
    if limit.max_concurrent is not None and len(live) >= limit.max_concurrent:
        return None
    return replace(line, leases={**live, job_id: until})


def call_ends(line: Line, job_id: str) -> Line:
    """The line with that call no longer under way."""
    return replace(line, leases={job: end for job, end in line.leases.items() if job != job_id})


def _keeps(log: Sequence[float], limit: Limit) -> bool:
    return all(
        later - earlier >= window.seconds
        for window in limit.windows
        for earlier, later in zip(log, log[window.starts :], strict=False)
    )
