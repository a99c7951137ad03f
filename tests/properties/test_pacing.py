"""The line of slots under any order of reserving, late starts, giving back and pushing back: no window overflows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from longplay.domain import pacing
from longplay.domain.pacing import Limit, Line, Window

from tests.properties.windows import ROUNDING, overfull_windows

TOLERANCE = 1.0
LIMITS = {
    "the source documents": Limit(windows=(Window(1, 2), Window(30, 3_600), Window(1_000, 86_400))),
    "10 a minute": Limit(windows=(Window(10, 60),)),
    "3 a minute, 5 an hour": Limit(windows=(Window(3, 60), Window(5, 3_600))),
    "2 in ten seconds": Limit(windows=(Window(2, 10),)),
    "1 in ten seconds, 2 in 25": Limit(windows=(Window(1, 10), Window(2, 25))),
}
PAUSES = st.sampled_from([0.0, 0.3, 0.9, 1.0, 1.1, 2.0, 3.0, 5.0, 9.5, 11.0, 30.0, 61.0, 300.0, 3_601.0])
WAITS = st.sampled_from([0.0, 0.5, 1.0, 3.0, 10.0, 14.5, 30.0, 300.0])


@dataclass(frozen=True)
class Call:
    """A call that was sent to the provider, and whether the provider will refuse it for now."""

    slot: float
    began: float
    refused: bool


class PacedLine(RuleBasedStateMachine):
    """Jobs that use a line as the limiter does, with a simulated clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.line, self.jobs = 1_000_000.0, Line(), 0
        self.waiting: dict[int, float] = {}
        self.under_way: dict[int, Call] = {}
        self.started: list[float] = []
        self.used: list[float] = []
        self.since = 0.0
        self.pushed = self.set_back = False

    @initialize(name=st.sampled_from(sorted(LIMITS)))
    def choose(self, name: str) -> None:
        """Choose the limit of the account."""
        self.true_limit = LIMITS[name]
        self.limit = self.true_limit.loosened(TOLERANCE)

    @rule(many=st.integers(1, 12))
    def reserve(self, many: int) -> None:
        """Jobs are submitted and reserve slots."""
        for _ in range(many):
            slot, self.line = pacing.reserve(self.line, self.limit, now=self.now)
            self.jobs += 1
            self.waiting[self.jobs] = slot

    @rule(seconds=PAUSES)
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds

    @precondition(lambda self: not self.pushed)
    @rule(seconds=st.sampled_from([0.2, 1.5, 7.0]))
    def set_the_clock_back(self, seconds: float) -> None:
        """The clock is set back."""
        self.now -= seconds
        self.set_back = True

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def call_off(self, data: st.DataObject) -> None:
        """A waiting job is canceled and gives its slot back."""
        job = data.draw(st.sampled_from(sorted(self.waiting)))
        slot = self.waiting.pop(job)
        self.line = pacing.give_back(self.line, slot)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), refused=st.booleans())
    def deliver(self, data: st.DataObject, refused: bool) -> None:
        """The message of a waiting job is delivered."""
        self._deliver(data.draw(st.sampled_from(sorted(self.waiting))), refused)

    @precondition(lambda self: self.waiting)
    @rule()
    def deliver_all_as_they_come_due(self) -> None:
        """Waiting jobs are delivered at their slots."""
        for job in sorted(self.waiting, key=self.waiting.__getitem__)[:40]:
            self.now = max(self.now, self.line.start_of(self.waiting[job]))
            self._deliver(job, refused=False)

    @precondition(lambda self: any(call.refused for call in self.under_way.values()) and not self.set_back)
    @rule(data=st.data(), wait=WAITS)
    def refuse(self, data: st.DataObject, wait: float) -> None:
        """The provider refuses a call and says how long to wait."""
        self.pushed = True
        job = data.draw(st.sampled_from(sorted(job for job, call in self.under_way.items() if call.refused)))
        call = self.under_way.pop(job)
        until = self.now + wait
        self.line = pacing.push(
            self.line, call.slot, self.limit, since=call.began - TOLERANCE, now=self.now, until=until
        )
        assert self.line.start_of(call.slot) >= until - ROUNDING
        self.waiting[job] = call.slot

    def _deliver(self, job: int, refused: bool) -> None:
        slot = self.waiting[job]
        if not self.line.on_time(slot, now=self.now, tolerance=TOLERANCE):
            slot, self.line = pacing.move_up(self.line, slot, self.limit, now=self.now)
            self.waiting[job] = slot
        if self.line.start_of(slot) <= self.now:
            self.under_way[job] = Call(self.waiting.pop(job), self.now, refused)
            if not refused:
                self.started.append(self.now)
                self.used.append(slot)

    @invariant()
    def no_window_overflows(self) -> None:
        """The calls that the provider accepted fit the windows."""
        if self.started:
            assert overfull_windows(self.started, self.true_limit) == []

    @invariant()
    def the_log_has_the_starts_that_were_made_or_are_reserved(self) -> None:
        """It is in order, and within the longest window it has each of them once and no others."""
        assert list(self.line.log) == sorted(self.line.log)
        self.since = max(self.since, self.line.earliest(self.now) - self.limit.longest_window)
        refused = [call.slot for call in self.under_way.values() if call.refused]
        expected = [*self.waiting.values(), *refused, *self.used]
        assert _counted(self.line.log, self.since) == _counted(expected, self.since)


PacedLine.TestCase.settings = settings(max_examples=250, stateful_step_count=40)
TestPacedLine = PacedLine.TestCase


class LineWithBuckets(PacedLine):
    """The same where windows of more than 3 starts are kept in at least 8 buckets each."""

    def __init__(self) -> None:
        super().__init__()
        self.patched = patch.multiple(pacing, MOST_EXACT=3, _BUCKETS=8, _SKEW=1.0)
        self.patched.start()

    def teardown(self) -> None:
        """Undo the patch."""
        self.patched.stop()

    @invariant()
    def the_log_has_the_starts_that_were_made_or_are_reserved(self) -> None:
        """It has an entry for each of them and no others: at its time or up to a bucket later."""
        assert list(self.line.log) == sorted(self.line.log)
        self.since = max(self.since, self.line.earliest(self.now) - self.limit.longest_window)
        refused = [call.slot for call in self.under_way.values() if call.refused]
        expected = sorted(slot for slot in [*self.waiting.values(), *refused, *self.used] if slot >= self.since)
        entries = self.line.log[len(self.line.log) - len(expected) :]
        latest = self.limit.longest_window / 8
        assert all(0 <= entry - slot <= latest for entry, slot in zip(entries, expected, strict=True))
        assert all(entry - latest <= self.since for entry in self.line.log[: len(self.line.log) - len(expected)])


LineWithBuckets.TestCase.settings = settings(max_examples=250, stateful_step_count=40)
TestLineWithBuckets = LineWithBuckets.TestCase


@settings(max_examples=150)
@given(seed=st.integers(0, 2**32), name=st.sampled_from(sorted(LIMITS)), seats=st.sampled_from([None, 1, 2, 4]))
def test_the_log_has_the_starts_that_were_made_or_are_reserved(seed: int, name: str, seats: int | None) -> None:
    """With late messages, seats, canceled jobs and clocks that differ by up to 5 s."""
    chance = random.Random(seed)  # noqa: S311 - guards nothing
    limit = Limit(windows=LIMITS[name].windows, max_concurrent=seats).loosened(TOLERANCE)
    line, now, since = Line(), 1_000_000.0, 0.0
    used, waiting = list[float](), dict[str, float]()
    for n in range(120):
        now += chance.choice([0.0, 0.3, 2.0, 7.0, 40.0])
        seen = now + chance.uniform(-5, 5)
        act = chance.choice(["submit", "submit", "deliver", "deliver", "cancel"])
        job = chance.choice(sorted(waiting)) if waiting and act != "submit" else ""
        if act == "submit":
            waiting[f"job {n}"], line = pacing.reserve(line, limit, now=seen)
        elif job and act == "cancel":
            line = pacing.give_back(line, waiting.pop(job))
        elif job:
            if not line.on_time(waiting[job], now=seen, tolerance=TOLERANCE):
                waiting[job], line = pacing.move_up(line, waiting[job], limit, now=seen)
            began = pacing.call_begins(line, limit, job, now=seen, until=seen + 20)
            if line.start_of(waiting[job]) <= seen and job in began.leases:
                line = began
                used.append(waiting.pop(job))
        since = max(since, line.earliest(seen) - limit.longest_window)
        assert _counted(line.log, since) == _counted([*waiting.values(), *used], since)


@settings(max_examples=150)
@given(seed=st.integers(0, 2**32), name=st.sampled_from(sorted(LIMITS)), kept=st.sampled_from([85, 20_000]))
def test_a_longer_window_never_has_more_starts_than_it_allows(seed: int, name: str, kept: int) -> None:
    """After a deploy with a longer window, the starts that the log has forgotten count as well."""
    chance = random.Random(seed)  # noqa: S311 - guards nothing
    limit, longer = LIMITS[name], Limit(windows=(*LIMITS[name].windows, Window(chance.randint(5, 40), 7_200)))
    line, now, slots = Line(), 1_000_000.0, list[tuple[float, bool]]()
    hurry = chance.choice([0.02, 1.0])
    for deployed in [False] * 80 + [True] * 80:
        now += hurry * chance.choice([0.0, 0.0, 1.0, 60.0, 400.0])
        with patch.object(pacing, "_MOST_KEPT", kept):
            slot, line = pacing.reserve(line, longer if deployed else limit, now=now)
        slots.append((slot, deployed))
    slots.sort()
    for window in longer.windows:
        for group in zip(*(slots[n:] for n in range(window.starts + 1)), strict=False):
            span = group[-1][0] - group[0][0]
            assert span >= window.seconds - ROUNDING or not any(deployed for _, deployed in group)


def _counted(slots: Sequence[float], since: float) -> Counter[float]:
    return Counter(slot for slot in slots if slot >= since)
