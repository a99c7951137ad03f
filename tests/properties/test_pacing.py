"""The line of slots under any order of reserving, late starts, giving back and pushing back: no window overflows."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import settings
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
        self.pushed = self.set_back = False

    @initialize(name=st.sampled_from(sorted(LIMITS)), kept=st.sampled_from([1, 100]))
    def choose(self, name: str, kept: int) -> None:
        """Choose the limit of the account."""
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(pacing, "_COUNTED", kept)
        self.true_limit = LIMITS[name]
        self.limit = self.true_limit.loosened(TOLERANCE)

    def teardown(self) -> None:
        """Undo the patch of the counter."""
        self.patch.undo()

    @rule(many=st.integers(1, 12))
    def reserve(self, many: int) -> None:
        """Jobs are submitted and reserve slots."""
        for _ in range(many):
            slot, self.line, before = *pacing.reserve(self.line, self.limit, now=self.now), self.line
            assert slot in before.freed or slot >= max(before.log, default=slot), "jumped the line"
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
        self.line = pacing.give_back(self.line, slot, now=self.now)
        assert slot in self.line.freed or self.line.start_of(slot) <= self.now

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
            self.started += [] if refused else [self.now]

    @invariant()
    def no_window_overflows(self) -> None:
        """The calls that the provider accepted fit the windows."""
        if self.started:
            assert overfull_windows(self.started, self.true_limit) == []

    @invariant()
    def the_log_is_in_order_and_bounded(self) -> None:
        """The log is sorted, and no longer than the limit needs."""
        assert list(self.line.log) == sorted(self.line.log)
        if self.line.log:
            assert len(self.line.log) <= self.limit.longest_log
        assert list(self.line.freed) == sorted(self.line.freed)
        assert len(self.line.freed) + len(self.waiting) <= self.jobs


PacedLine.TestCase.settings = settings(max_examples=250, stateful_step_count=40)
TestPacedLine = PacedLine.TestCase
