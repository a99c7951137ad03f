"""Rate limits: a line of reserved slots that keeps the starts in every rolling window within the provider's limit.

Slots are stored in line time: the real start of a slot is the slot plus the line's `shift`. To push the whole line
back (after a 429 or a pause), only this one number changes; order and spacing stay the same. A call that started
before the push then appears to have started later than it did, never earlier. This is safe because no call starts
between the push and the line's `resume_at`.

Past starts that count only in windows of more than `MOST_EXACT` starts are kept by the bucket: all starts of a bucket
stand at its last one, so they count up to a hundredth of the window longer. The log has as many entries as starts, and
few different ones.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta
from msgspec.structs import replace

MOST_STARTS = 10_000  # the log of starts is one item in DynamoDB, read and written as a whole
MOST_EXACT = 1_000  # starts of a window that is kept exactly
_BUCKETS = 100  # in a window of more starts: at least so many, at most twice as many
LONGEST_WINDOW = 366 * 24 * 3600  # seconds

_WINDOWS = f"pairs [starts, seconds], with 1 to {MOST_STARTS} starts and at most {LONGEST_WINDOW} seconds"
MOST_WAITING = 300  # jobs that are told when there is room for their call; any others look for themselves
LONGEST_LOOK, SHORTEST_LOOK = 300.0, 30.0  # seconds after which a job looks for room itself
HANDED_OVER = 90.0  # seconds for which room is kept for a job that was told of it
_MOST_KEPT = 2 * MOST_STARTS  # slots in the log; in a line longer than this, the earliest are left out
_SKEW = 10.0  # seconds by which the clocks of two functions may differ
_ROUNDING = 1e-6  # seconds; epoch seconds as floating-point numbers are this exact


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
    def longest_window(self) -> float:
        """The seconds for which a start counts in some window."""
        return max((window.seconds for window in self.windows), default=0.0)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One account's line. All times are epoch seconds.

    `log` has the slots of all calls that were made within the longest window and of all that are still to be made,
    in ascending order, old ones by the bucket. A slot whose call is not made leaves it. Starts up to `forgotten` (real
    time) may be missing.
    `windows` are those ([starts, seconds]) for which the log was kept.
    `written_at` is the latest clock of a function that reserved a slot or was late for one.
    No call starts before `resume_at`. `leases` has, for each job with a running call, when its lease ends, and
    `waiting` has the jobs that wait for a call to end, the first one first.
    """

    version: int = 0
    token: str = ""
    log: tuple[float, ...] = ()
    forgotten: float = 0.0
    windows: tuple[tuple[int, float], ...] = ()
    written_at: float = 0.0
    shift: float = 0.0
    resume_at: float = 0.0
    leases: Mapping[str, float] = {}
    waiting: tuple[str, ...] = ()

    def start_of(self, slot: float) -> float:
        """The real time (epoch seconds) at which the call of a slot may start."""
        return max(slot + self.shift, self.resume_at)

    def earliest(self, now: float) -> float:
        """The first slot that has not passed yet."""
        return max(now, self.resume_at) - self.shift

    def earliest_known(self, now: float) -> float:
        """The first slot that has not passed yet and before which no slot is missing in the log."""
        return max(self.earliest(now), self.forgotten - self.shift)

    def on_time(self, slot: float, *, now: float, tolerance: float) -> bool:
        """Whether a start by this slot is still ahead, or at most `tolerance` seconds late."""
        return self.earliest(now) <= slot + tolerance

    def place_of(self, slot: float, *, now: float) -> int | None:
        """The position of a slot among the coming starts, from 1; None if it has begun or the log forgot some."""
        if not self.log or self.forgotten > now:
            return None
        return sum(1 for other in self.log if now < self.start_of(other) and other <= slot) or None


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """When a new call could start (epoch seconds), and how many starts each window of the limit leaves now."""

    next_start: float
    left: tuple[int, ...]


def outlook(line: Line, limit: Limit, *, now: float) -> Outlook:
    """The outlook of a new call. Starts that are reserved count as made."""
    slot, after = reserve(line, limit, now=now)
    starts = [line.start_of(slot) for slot in _counted(line, limit, now=now).log]
    used = [sum(1 for start in starts if start > now - window.seconds) for window in limit.windows]
    left = (max(0, window.starts - count) for window, count in zip(limit.windows, used, strict=True))
    return Outlook(next_start=after.start_of(slot), left=tuple(left))


def reserve(line: Line, limit: Limit, *, now: float) -> tuple[float, Line]:
    """The earliest slot that keeps every window, between two others or at the end, and the line with it."""
    line = _counted(line, limit, now=now)
    slot = _earliest_free(line.log, limit, line.earliest_known(now))
    return slot, _with(line, slot, limit, now=now)


def starts_of(line: Line, limit: Limit, *, count: int, now: float) -> list[float]:
    """When so many more calls could start (epoch seconds), if no others come in between."""
    starts = []
    for _ in range(count):
        slot, line = reserve(line, limit, now=now)
        starts.append(line.start_of(slot))
    return sorted(starts)


def give_back(line: Line, slot: float) -> Line:
    """The line without a slot whose call is not made; the next job may take it."""
    counted = _counted_at(line, slot)
    return line if counted is None else replace(line, log=_without(line.log, counted))


def move_up(line: Line, slot: float, limit: Limit, *, now: float) -> tuple[float, Line]:
    """The new slot for a start that missed its slot, and the line with it: now if safe, else the next free slot.

    Starting now is safe if every window still holds. It is also safe if no later slot is due yet, because the line
    behind it can move back by as much as the start is late. Otherwise the missed slot leaves the log, because no call
    has used it.
    """
    line = _counted(line, limit, now=now)
    at_once, freed = line.earliest(now), give_back(line, slot)
    latest_due = max(at_once, line.written_at - line.shift)  # the clock of another function may be ahead
    keeps_windows = _earliest_free(freed.log, limit, at_once) == at_once
    if slot in line.log and not keeps_windows and not any(slot < other <= latest_due for other in line.log):
        return slot, replace(line, shift=line.shift + at_once - slot, written_at=max(line.written_at, now))
    return reserve(freed, limit, now=now)


def push(line: Line, slot: float, limit: Limit, *, since: float, now: float, until: float) -> Line:
    """The line moved back until this slot starts at `until`; it never moves forward.

    `since` is when the refused call was due. If a whole window has passed since then, other calls have started in
    the meantime, and the line also waits for the length of that window.
    """
    line = _exactly(line, slot)
    waited_out = [now + window.seconds for window in limit.windows if now - since >= window.seconds]
    resume_at = max([line.resume_at, until, *waited_out])
    return replace(line, shift=max(line.shift, resume_at - slot), resume_at=resume_at)


def call_begins(line: Line, limit: Limit, job_id: str, *, now: float, until: float) -> Line:
    """The line with one more running call, leased until `until`, or with the job among those that wait for room."""
    live, waiting = _live(line, job_id, now), _without_job(line, job_id)
    if limit.max_concurrent is None or len(live) < limit.max_concurrent:
        return replace(line, leases={**live, job_id: until}, waiting=waiting)
    last_in = line.waiting if job_id in line.waiting else (*line.waiting, job_id)[:MOST_WAITING]
    return replace(line, leases=live, waiting=last_in)


def call_ends(line: Line, limit: Limit, job_id: str, *, now: float) -> Line:
    """The line without this job. Those that have waited longest wait no more, as many as there is room for.

    The room is kept for them until they begin, except where a start has to be reserved too: the next job that comes at
    its start takes the room then, since a start that no call uses is lost.
    """
    live, waiting = _live(line, job_id, now), _without_job(line, job_id)
    free = max(0, (limit.max_concurrent or len(waiting)) - len(live))
    handed = {} if limit.windows else dict.fromkeys(waiting[:free], now + HANDED_OVER)
    return replace(line, leases={**live, **handed}, waiting=waiting[free:])


def room_expected_in(line: Line, limit: Limit, job_id: str, *, typical: float) -> float:
    """Seconds until there is room for the call of a job that waits, if each call takes `typical` seconds."""
    place = line.waiting.index(job_id) + 1 if job_id in line.waiting else len(line.waiting) + 1
    return math.ceil(place / (limit.max_concurrent or place)) * typical


def looks_for_room_in(line: Line, limit: Limit, job_id: str, *, typical: float) -> float:
    """Seconds until a job looks for room itself. One that is on the list is told, and looks in case that fails."""
    if job_id in line.waiting:
        return LONGEST_LOOK
    return min(LONGEST_LOOK, max(SHORTEST_LOOK, room_expected_in(line, limit, job_id, typical=typical)))


def _live(line: Line, job_id: str, now: float) -> dict[str, float]:
    """The running calls of the other jobs."""
    return {job: end for job, end in line.leases.items() if end > now and job != job_id}


def _without_job(line: Line, job_id: str) -> tuple[str, ...]:
    return tuple(job for job in line.waiting if job != job_id)


def _counted(line: Line, limit: Limit, *, now: float) -> Line:
    """The line with starts in place of those that were forgotten and may count in a window, if one became longer.

    They are as many and as late as the windows allowed for which the log was kept.
    """
    since = max(now, line.resume_at) - limit.longest_window
    most = max((window.starts for window in limit.windows), default=0)
    unknown = most - bisect_right(line.log, line.earliest_known(now))
    if line.forgotten <= since or unknown <= 0:
        return line
    slot, latest_first = line.forgotten - line.shift, [*reversed(line.log)]
    while slot + line.shift > since and unknown > 0:
        full = (latest_first[-starts] - span for starts, span in line.windows if len(latest_first) >= starts)
        slot = min([slot, *full])
        latest_first.append(slot)
        unknown -= 1
    forgotten = since if unknown else line.forgotten
    return replace(line, log=tuple(reversed(latest_first)), forgotten=forgotten)


def _with(line: Line, slot: float, limit: Limit, *, now: float) -> Line:
    """The line with one more slot, without the slots that count in no window any more."""
    log = [*line.log]
    insort(log, slot)
    over = bisect_right(log, line.earliest(now) - limit.longest_window - _SKEW)
    dropped = max(over, len(log) - _MOST_KEPT)
    forgotten = log[dropped - 1] + line.shift if dropped else line.forgotten
    return replace(
        line,
        log=tuple(_bucketed(log[dropped:], limit, line.earliest(now))),
        forgotten=forgotten,
        windows=tuple((window.starts, window.seconds) for window in limit.windows),
        written_at=max(line.written_at, now),
    )


def _bucketed(log: list[float], limit: Limit, earliest: float) -> list[float]:
    """The log with every start that counts only in windows of many starts moved to the last one of its bucket."""
    few = max((window.seconds for window in limit.windows if window.starts <= MOST_EXACT), default=0.0)
    many = sorted(window.seconds for window in limit.windows if window.starts > MOST_EXACT and window.seconds > few)
    last, oldest = float("inf"), earliest - few - _SKEW
    for at in range(bisect_left(log, oldest) - 1 if many else -1, -1, -1):
        if log[at] != last:
            seconds = next((seconds for seconds in many if seconds >= earliest - log[at]), many[-1])
            last = log[at] = last if _same_bucket(log[at], last, seconds) else log[at]
    return log


def _same_bucket(slot: float, other: float, seconds: float) -> bool:
    """Whether both are in one bucket of a window. Widths are powers of two, so each bucket is part of one wider one."""
    width = 2.0 ** math.floor(math.log2(seconds / _BUCKETS))
    return slot // width == other // width


def _counted_at(line: Line, slot: float) -> float | None:
    """The entry of the log that counts this slot: itself, or the last of its bucket. None if the log has none."""
    at = bisect_left(line.log, slot)
    entry = line.log[at] if at < len(line.log) else float("inf")
    widest = max((seconds for starts, seconds in line.windows if starts > MOST_EXACT), default=0.0)
    in_bucket = widest > 0 and line.forgotten < slot + line.shift and _same_bucket(slot, entry, widest)
    return entry if entry == slot or in_bucket else None


def _exactly(line: Line, slot: float) -> Line:
    """The line with a slot at its own time again, if its bucket counts it."""
    freed = give_back(line, slot)
    log = [*freed.log]
    insort(log, slot)
    return line if freed is line or slot in line.log else replace(line, log=tuple(log))


def _without(log: Sequence[float], slot: float) -> tuple[float, ...]:
    at = bisect_left(log, slot)
    return (*log[:at], *log[at + 1 :])


def _earliest_free(log: Sequence[float], limit: Limit, earliest: float) -> float:
    """The first time from `earliest` on at which one more start keeps every window, before and after it."""
    slot, before = earliest, None
    while slot != before:
        before = slot
        for window in limit.windows:
            slot = _earliest_in(log, window, slot)
    return slot


def _earliest_in(log: Sequence[float], window: Window, earliest: float) -> float:
    """The same for one window. A group of starts that fills it allows no other start less than a window away."""
    slot, seconds, in_reach = earliest, window.seconds, bisect_right(log, earliest - window.seconds)
    for first, last in zip(log[in_reach:], log[in_reach + window.starts - 1 :], strict=False):
        if last - seconds >= slot - _ROUNDING:
            break
        if last - first < seconds - _ROUNDING:
            slot = first + seconds
    return slot
