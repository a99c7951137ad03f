"""Bursts in simulated time: reserved starts use a provider's whole quota and never exceed it."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from unittest.mock import patch

import pytest
import time_machine
from longplay.domain.pacing import Limit, Window

from benchmarks.burst import SimulatedProvider, backed_off, ideal, reserved
from benchmarks.lines import Lines
from benchmarks.pacing import AND_THIRTY_AN_HOUR, EVERY_TWO_SECONDS, JOBS, RESERVERS, hours, race
from local.stand_ins.model import ModelServer
from tests.harness.product import Product
from tests.properties.busy_workers import MANY, Burst

MOMENTS = (*range(0, 70, 2), *range(3_300, 3_600, 60), *range(3_600, 3_620, 2))  # seconds at which something can happen
SEVERAL_AT_ONCE = (Window(10, 60.0), Window(100, 3_600.0))


def test_a_burst_of_ten_thousand_starts_as_fast_as_the_provider_allows() -> None:
    """No call is refused, no message is delivered twice, and the limiter is written once for each start."""
    lines = Lines(EVERY_TWO_SECONDS)
    outcome = reserved(JOBS, SimulatedProvider(windows=EVERY_TWO_SECONDS), lines)
    assert len(outcome.starts) == JOBS
    assert outcome.makespan <= 1.01 * ideal(JOBS, EVERY_TWO_SECONDS)
    assert (outcome.refused, outcome.deliveries) == (0, JOBS)
    assert lines.client.writes <= 1.1 * JOBS


def test_without_reservation_most_calls_are_refused() -> None:
    """The same burst with jittered backoff, for comparison."""
    outcome = backed_off(500, SimulatedProvider(windows=EVERY_TWO_SECONDS))
    assert len(outcome.starts) == 500
    assert outcome.refused > 5 * 500


@pytest.mark.parametrize("windows", [EVERY_TWO_SECONDS, AND_THIRTY_AN_HOUR, SEVERAL_AT_ONCE])
def test_starts_that_are_late_within_the_tolerance_break_no_window(windows: tuple[Window, ...]) -> None:
    """Messages are up to a second late; the limiter widens the windows by that much."""
    lines = Lines(windows, tolerance=1.0, containers=4)
    outcome = reserved(300, SimulatedProvider(windows=windows), lines, late=1.0)
    assert (len(outcome.starts), outcome.refused) == (300, 0)


def test_a_burst_over_an_hours_quota_goes_on_when_the_hour_allows() -> None:
    """95 jobs under 1 per 2 s and 30 per hour: thirty jobs, 2 s apart, at the start of each hour."""
    expected = [3_600.0 * (n // 30) + 2.0 * (n % 30) for n in range(95)]
    assert hours(95, AND_THIRTY_AN_HOUR) == expected


@pytest.mark.parametrize(("at_once", "writes"), [(False, 45), (True, 136)])
def test_a_race_for_slots_gives_each_its_own(at_once: bool, writes: int) -> None:
    """Sixteen containers read the same line before the first one writes."""
    counted, slots = race(RESERVERS, together=at_once)
    assert [later - earlier for earlier, later in pairwise(slots)] == [2.0] * (RESERVERS - 1)
    assert counted == writes


def test_the_product_starts_a_burst_over_an_hours_quota_when_the_hour_allows(
    product_with: Callable[..., Product], model_server: ModelServer
) -> None:
    """The same through the entry points: the sweeper sends the messages of far starts."""
    limits = {"*": {"windows": [[1, 2], [30, 3_600]]}}
    product = product_with(limits=limits, start_tolerance=0, horizon=None)
    begin, starts = float(int(time.time())), []
    with time_machine.travel(begin, tick=False) as clock, patch.object(time, "sleep", clock.shift):
        for n in range(35):
            product.submit({"prompt": f"waltz {n}", "duration": 2, "deadline_seconds": 14_400})
        for moment in MOMENTS:
            clock.move_to(begin + moment)
            product.sweep()
            starts += [moment] * product.deliver()
    assert starts == [3_600 * (n // 30) + 2 * (n % 30) for n in range(35)]
    assert model_server.generations == 35


@pytest.mark.parametrize("seconds", [20, 60])
@pytest.mark.parametrize("most", [{"max_concurrent": 1}, {"max_concurrent": 2}, {"max_concurrent": 4}, 1, 2, 4])
@pytest.mark.parametrize("late", [0.0, 1.0])
def test_every_job_within_the_quota_is_served_in_time(seconds: int, most: dict[str, int] | int, late: float) -> None:
    """29 jobs under 30 an hour, with few seats or few workers: no start is lost to jobs that come late."""
    seats, workers = (most, MANY) if isinstance(most, dict) else ({}, most)
    limit = Limit(windows=AND_THIRTY_AN_HOUR, **seats)
    burst = Burst(limit=limit, workers=workers, jobs=29, seconds=seconds, late=late).run()
    print(f"{most}, {seconds} s a call: {burst.makespan:.0f} s; the ideal is {burst.ideal:.0f} s")
    assert (len(burst.ends), burst.refused) == (29, 0)
    assert burst.most_at_once <= min(workers, limit.max_concurrent or MANY)
    assert burst.makespan <= 1.1 * burst.ideal


@pytest.mark.parametrize(("jobs", "seconds"), [(29, 20), (1_000, 20), (1_000, 1)])
def test_seats_are_handed_on_in_order(jobs: int, seconds: int) -> None:
    """Where an account limits calls at once alone, each end of a call starts the job that has waited longest."""
    burst = Burst(limit=Limit(max_concurrent=4), jobs=jobs, seconds=seconds, late=1.0).run()
    print(
        f"{jobs} jobs of {seconds} s: {burst.makespan:.0f} s, ideal {burst.ideal:.0f} s, {burst.deliveries} deliveries"
    )
    assert (len(burst.ends), burst.most_at_once) == (jobs, 4)
    assert burst.deliveries <= 3 * jobs + 12 * jobs * burst.makespan / 3_600


@pytest.mark.parametrize("jobs", [29, 300])
def test_messages_up_to_a_second_late_cost_a_tenth(jobs: int) -> None:
    """A message comes before its slot, and the worker waits for the slot."""
    burst = Burst(limit=Limit(windows=EVERY_TWO_SECONDS), jobs=jobs, seconds=0, late=1.0).run()
    print(f"{jobs} jobs: {burst.makespan:.1f} s; the ideal is {burst.ideal:.1f} s")
    assert (len(burst.ends), burst.refused, burst.deliveries) == (jobs, 0, jobs)
    assert round(burst.makespan / burst.ideal, 3) <= 1.1
