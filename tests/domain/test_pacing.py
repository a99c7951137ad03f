"""Pacing: slots after late starts, slots given back, and long lines."""

from __future__ import annotations

import pytest
from longplay.domain import pacing
from longplay.domain.pacing import Limit, Line, Window

NOW = 1_000_000.0
ONE_IN_TWO = Limit(windows=(Window(1, 2),))
AND_FOUR_AN_HOUR = Limit(windows=(Window(1, 2), Window(4, 3_600)))
AND_THIRTY_AN_HOUR = Limit(windows=(Window(1, 2), Window(30, 3_600)))
TEN_A_MINUTE = Limit(windows=(Window(10, 60),))


@pytest.mark.parametrize(
    ("limit", "jobs", "slot", "now", "start"),
    [
        (AND_FOUR_AN_HOUR, 4, 2.0, 7.0, 8.0),  # the next that is free; it was 3,600
        (AND_THIRTY_AN_HOUR, 29, 2.0, 7.0, 58.0),
        (ONE_IN_TWO, 1, 0.0, 7.0, 7.0),  # no other job: at once
        (ONE_IN_TWO, 101, 0.0, 1.5, 1.5),  # the line behind it moves back; it was 202
        (ONE_IN_TWO, 600, 0.0, 1.5, 1.5),
        (ONE_IN_TWO, 600, 0.0, 2.5, 1_200.0),  # another slot is due
        (TEN_A_MINUTE, 5, 0.0, 7.0, 7.0),
    ],
)
def test_a_missed_slot_is_moved_up(limit: Limit, jobs: int, slot: float, now: float, start: float) -> None:
    """Its call starts as soon as the windows allow, and its missed slot counts no more."""
    line = line_of(limit, jobs)
    moved, after = pacing.move_up(line, NOW + slot, limit, now=NOW + now)
    assert after.start_of(moved) == NOW + start
    assert len(after.log) == jobs


def test_a_slot_given_back_leaves_the_log() -> None:
    """The next job takes it, wherever it is in the line."""
    line = line_of(ONE_IN_TWO, 5)
    freed = pacing.give_back(line, NOW + 4)
    assert freed.log == (NOW, NOW + 2, NOW + 6, NOW + 8)
    slot, again = pacing.reserve(freed, ONE_IN_TWO, now=NOW + 1)
    assert (slot, again.log) == (NOW + 4, line.log)


def test_a_line_with_all_slots_given_back_is_empty() -> None:
    """Nothing is left of 1,000 canceled jobs."""
    line = line_of(ONE_IN_TWO, 1_000)
    for slot in line.log:
        line = pacing.give_back(line, slot)
    assert line.log == ()


def test_the_log_forgets_starts_that_count_no_more() -> None:
    """A start is kept as long as the longest window, and a few seconds more."""
    line = line_of(AND_FOUR_AN_HOUR, 8)
    _, line = pacing.reserve(line, AND_FOUR_AN_HOUR, now=NOW + 3_650)
    assert line.log == (*(NOW + 3_600 + n for n in (0, 2, 4, 6)), NOW + 7_200)
    assert line.forgotten == NOW + 6


def test_every_slot_that_is_not_over_is_kept() -> None:
    """600 jobs in line are 600 slots in the log, and each is told its place."""
    line = line_of(ONE_IN_TWO, 600)
    assert line.place_of(NOW + 1_198, now=NOW) == 599


def test_a_slot_that_has_begun_has_no_place_in_line() -> None:
    """Places count from 1."""
    line = line_of(ONE_IN_TWO, 3)
    assert [line.place_of(NOW + 2, now=now) for now in (NOW + 1, NOW + 2)] == [1, None]


def test_a_line_longer_than_its_log_keeps_the_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slots that the log had no room for count as well."""
    monkeypatch.setattr(pacing, "_MOST_KEPT", 60)
    line, slots = Line(), list[float]()
    for _ in range(95):
        slot, line = pacing.reserve(line, AND_THIRTY_AN_HOUR, now=NOW)
        slots.append(slot - NOW)
    assert slots == [3_600 * (n // 30) + 2 * (n % 30) for n in range(95)]
    assert (len(line.log), line.place_of(slot, now=NOW)) == (60, None)


@pytest.mark.parametrize(
    ("windows", "idle", "start"),
    [
        (((1, 2), (40, 86_400)), 0, 86_400),  # 60 starts were made: the day is full until the first 21 are a day old
        (((1, 2), (40, 86_400)), 90_000, 90_000),
        (((1, 2), (100, 86_400)), 0, 7_200),
        (((1, 2), (30, 7_200)), 0, 10_800),
    ],
)
def test_a_longer_window_counts_the_starts_that_were_forgotten(
    windows: tuple[tuple[int, float], ...], idle: float, start: float
) -> None:
    """After 30 starts in each of two hours, a deploy makes a window longer."""
    limit = Limit(windows=tuple(Window(starts, seconds) for starts, seconds in windows))
    line = line_of(AND_THIRTY_AN_HOUR, 60)
    slot, line = pacing.reserve(line, AND_THIRTY_AN_HOUR, now=NOW + 7_200)
    line = pacing.give_back(line, slot)
    assert len(line.log) == 30
    slot, _ = pacing.reserve(line, limit, now=NOW + max(7_200, idle))
    assert slot - NOW >= start


def test_forgotten_starts_are_counted_in_real_time_after_the_line_was_pushed_back() -> None:
    """Thirty in the last known hour and ten in the one before: the day has room when those ten are a day old."""
    line = Line(windows=((30, 3_600.0),), forgotten=NOW + 3_600, shift=600.0)
    slot, after = pacing.reserve(line, Limit(windows=(Window(40, 86_400),)), now=NOW + 7_200)
    assert after.start_of(slot) == NOW + 86_400


TEN_THOUSAND_A_MONTH = Limit(windows=(Window(10_000, 2_592_000),))
MANY_AN_HOUR = Limit(windows=(Window(1_500, 3_600),))
LATER = 1_800_000_000.0  # epoch seconds, later than a month
WIDTH = 16_384.0  # seconds of a bucket of a month: the power of two below a hundredth


def test_a_long_log_has_few_different_entries() -> None:
    """Of 10,000 starts within a month, at most 200 entries differ; the next start waits for the first to be over."""
    line, now = Line(), LATER
    for _ in range(10_000):
        _, line = pacing.reserve(line, TEN_THOUSAND_A_MONTH, now=now)
        now += 100
    assert (len(line.log), len(set(line.log)) <= 200) == (10_000, True)
    slot, _ = pacing.reserve(line, TEN_THOUSAND_A_MONTH, now=now)
    assert 2_592_000 <= slot - LATER <= 2_592_000 + WIDTH


@pytest.mark.parametrize("limit", [MANY_AN_HOUR, Limit(windows=(Window(1, 2), *MANY_AN_HOUR.windows))])
def test_windows_of_many_starts_are_used_up(limit: Limit) -> None:
    """Jobs that come as fast as they may start take at most a hundredth longer than with an exact log."""
    line, now, starts = Line(), LATER, list[float]()
    for _ in range(6_100):
        slot, line = pacing.reserve(line, limit, now=now)
        now = line.start_of(slot)
        starts.append(now)
    ideal = 4 * 3_600 + (0 if limit is MANY_AN_HOUR else 2 * 100)
    assert starts[-1] - LATER <= 1.01 * ideal
    assert all(later - earlier >= 3_600 for earlier, later in zip(starts, starts[1_500:], strict=False))


def test_a_start_leaves_its_bucket() -> None:
    """2,000 jobs that are all late by hours move up within the month's number, one entry each."""
    line = Line()
    slots = []
    for n in range(2_000):
        slot, line = pacing.reserve(line, TEN_THOUSAND_A_MONTH, now=LATER + n)
        slots.append(slot)
    assert len(set(line.log)) < 100
    for n, slot in enumerate(slots):
        moved, line = pacing.move_up(line, slot, TEN_THOUSAND_A_MONTH, now=LATER + 40_000 + 20 * n)
        assert (line.start_of(moved), len(line.log)) == (LATER + 40_000 + 20 * n, 2_000)
    assert min(line.log) >= LATER + 40_000
    assert pacing.give_back(line, LATER + 1) == line


def test_a_refused_call_has_its_own_slot_again() -> None:
    """When the line is pushed back, the slot of the refused call leaves its bucket: the call is repeated by it."""
    line = Line()
    for n in range(1_200):
        _, line = pacing.reserve(line, MANY_AN_HOUR, now=LATER + n / 10)
    assert LATER + 1 not in line.log
    pushed = pacing.push(line, LATER + 1, MANY_AN_HOUR, since=LATER, now=LATER + 120, until=LATER + 200)
    assert (LATER + 1 in pushed.log, len(pushed.log), pushed.start_of(LATER + 1)) == (True, 1_200, LATER + 200)


def test_a_window_of_a_thousand_starts_is_exact() -> None:
    """Every entry is the start itself."""
    line, limit = Line(), Limit(windows=(Window(1_000, 86_400),))
    for n in range(1_000):
        _, line = pacing.reserve(line, limit, now=LATER + 60 * n)
    assert line.log == tuple(LATER + 60 * n for n in range(1_000))


def line_of(limit: Limit, jobs: int) -> Line:
    """The line after so many submissions at once."""
    line = Line()
    for _ in range(jobs):
        _, line = pacing.reserve(line, limit, now=NOW)
    return line


def test_a_line_pushed_back_long_after_the_refused_start_waits_a_whole_window() -> None:
    """Others have started since then, so the provider's window is full although it asks for one second only."""
    limit = Limit(windows=(Window(1, 10),))
    slot, line = pacing.reserve(Line(), limit, now=LATER)
    soon, late = (
        pacing.push(line, slot, limit, since=LATER, now=LATER + seconds, until=LATER + seconds + 1)
        for seconds in (9, 10)
    )
    assert (soon.start_of(slot), soon.resume_at) == (LATER + 10, LATER + 10)
    assert (late.start_of(slot), late.resume_at) == (LATER + 20, LATER + 20)


def test_a_window_that_is_kept_exactly_gives_back_no_start_but_its_own() -> None:
    """A thousand starts are the most that are kept without buckets."""
    limit = Limit(windows=(Window(1_000, 3_600),))
    _, line = pacing.reserve(Line(), limit, now=LATER)
    _, line = pacing.reserve(line, limit, now=LATER + 2)
    assert pacing.give_back(line, LATER + 1) == line


@pytest.mark.parametrize(
    ("windows", "starts"),
    [
        ((Window(2_000, 1.0),), (0, 0.003, 10.5)),
        ((Window(2_000, 1.0), Window(3_000, 100.0)), (0, 0.5, 50.0)),
    ],
    ids=["a window of a second", "the longest of two windows"],
)
def test_a_start_in_a_bucket_is_given_back(windows: tuple[Window, ...], starts: tuple[float, ...]) -> None:
    """The first two starts are of one bucket when the third comes."""
    now, line = 1_000_000.0, Line()
    for later in starts:
        _, line = pacing.reserve(line, Limit(windows=windows), now=now + later)
    assert len(pacing.give_back(line, now).log) == len(line.log) - 1 == 2
