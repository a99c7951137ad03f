"""A burst of 10,000 jobs against 1 start per 2 s, in simulated time: reserved starts beside retries with backoff."""

from __future__ import annotations

from collections.abc import Sequence

from longplay.domain.pacing import Window
from longplay.domain.settings import Settings

from benchmarks.burst import BEGIN, Outcome, SimulatedProvider, backed_off, ideal, reserved
from benchmarks.lines import ACCOUNT, Lines
from benchmarks.tables import show

JOBS = 10_000
EVERY_TWO_SECONDS = (Window(1, 2.0),)
AND_THIRTY_AN_HOUR = (Window(1, 2.0), Window(30, 3_600.0))
DEFAULT_TOLERANCE = Settings().start_tolerance
RESERVERS = 16


def main() -> None:
    """Print the three tables."""
    compare(JOBS, EVERY_TWO_SECONDS)
    show_hours(95, AND_THIRTY_AN_HOUR)
    show_race(RESERVERS)


def compare(jobs: int, windows: Sequence[Window]) -> None:
    """Reserved starts beside backoff, each against the ideal."""
    heads = ("how", "makespan", "of ideal", "refused", "deliveries a job", "limiter writes a start", "of them refused")
    rows = [
        _reserved_row("reserved, messages on time, start_tolerance 0 s", jobs, windows),
        _reserved_row("the same, 4 containers taking the submissions in turn", jobs, windows, containers=4),
        _reserved_row(
            f"reserved, up to {DEFAULT_TOLERANCE:g} s late, start_tolerance {DEFAULT_TOLERANCE:g} s",
            jobs,
            windows,
            tolerance=DEFAULT_TOLERANCE,
            late=DEFAULT_TOLERANCE,
        ),
        _row("no reservation, backoff with full jitter", backed_off(jobs, SimulatedProvider(windows=windows)), windows),
    ]
    show(
        f"{jobs:,} jobs at once, {_told(windows)}; the ideal is {ideal(jobs, windows):,.0f} s",
        heads,
        rows,
        "Simulated time, no horizon, one seed. A start is a call the provider took; refused calls are its 429s.",
        "Windows are kept longer by start_tolerance, so that a start that late breaks none: a window of 2 s becomes",
        "one of 2.2 s, which costs a tenth of its throughput; a window of an hour loses nothing.",
    )


def hours(jobs: int, windows: Sequence[Window]) -> list[float]:
    """Seconds after the submission at which each job starts."""
    outcome = reserved(jobs, SimulatedProvider(windows=windows), Lines(windows))
    return [start - BEGIN for start in outcome.starts]


def show_hours(jobs: int, windows: Sequence[Window]) -> None:
    """When the jobs of a burst start that takes more than one hour's quota."""
    starts = hours(jobs, windows)
    shown = [1, 2, 30, 31, 32, 60, 61, 91, jobs]
    rows = [(f"{n}", f"{starts[n - 1]:,.0f} s") for n in shown]
    show(f"{jobs} jobs at once, {_told(windows)}: when they start", ("job", "start"), rows)


def race(reservers: int, *, together: bool) -> tuple[int, list[float]]:
    """The limiter writes of containers that have all read the same line before the first writes, and their slots.

    The refused try again one after another or, the worst case, `together`: all read before any of them writes.
    """
    lines, slots = Lines(EVERY_TWO_SECONDS, containers=reservers), []
    waiting = lines.limiters
    while waiting:
        read = [(limiter, limiter.reserve(ACCOUNT, now=BEGIN)) for limiter in waiting]
        held = [lines.holds(limiter, reservation) for limiter, reservation in read]
        slots += [reservation.slot for (_, reservation), holds in zip(read, held, strict=True) if holds]
        waiting = [limiter for limiter, holds in zip(waiting, held, strict=True) if not holds]
        if not together:
            slots += [lines.take_slot(limiter, now=BEGIN) for limiter in waiting]
            break
    return lines.client.writes, slots


def show_race(reservers: int) -> None:
    """The cost of reservations that containers make at the same instant."""
    rows = [
        (how, race(reservers, together=together)[0])
        for how, together in (("try again one after another", False), ("try again all together, the worst case", True))
    ]
    show(
        f"{reservers} containers that have all seen the same line reserve at the same instant",
        ("the refused", "limiter writes"),
        rows,
        "A refused write brings back the line as it is, so that no read comes between two tries.",
    )


def _reserved_row(
    how: str,
    jobs: int,
    windows: Sequence[Window],
    *,
    containers: int = 1,
    tolerance: float = 0.0,
    late: float = 0.0,
) -> tuple[str, ...]:
    lines = Lines(windows, containers=containers, tolerance=tolerance)
    outcome = reserved(jobs, SimulatedProvider(windows=windows), lines, late=late)
    writes, refused = lines.client.writes / jobs, lines.client.refused / jobs
    return (*_row(how, outcome, windows)[:-2], f"{writes:.2f}", f"{refused:.2f}")


def _row(how: str, outcome: Outcome, windows: Sequence[Window]) -> tuple[str, ...]:
    jobs = len(outcome.starts)
    return (
        how,
        f"{outcome.makespan:,.0f} s",
        f"{outcome.makespan / ideal(jobs, windows):.3f}",
        f"{outcome.refused:,}",
        f"{outcome.deliveries / jobs:.1f}",
        "-",
        "-",
    )


def _told(windows: Sequence[Window]) -> str:
    return " and ".join(f"{window.starts} per {window.seconds:,.0f} s" for window in windows)


if __name__ == "__main__":
    main()
