"""Plays a scenario once undisturbed to find every call of its life, and then again with a strike at each of them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from tests.kill.audit import Books, complaints, remains_of
from tests.kill.edge import Call, Edge, Moment, Point
from tests.kill.life import Life
from tests.kill.network import network_behind
from tests.kill.parts import Part
from tests.kill.stage import empty_account

DEADLINE = 1_200

Points = Callable[[Sequence[Call]], Iterable[Point]]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A life, and how each of its jobs, by name, may end: "a | b" for either, "never created" among them.

    `live` does what matters; time then passes by itself until all is quiet. `forgotten` is how many results its callers
    may erase before the ledger has learned of them. `settings` are Longplay's.
    """

    live: Callable[[Life], None]
    ends: Mapping[str, str]
    forgotten: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What it is called in the report."""
        return self.live.__name__


@dataclass(frozen=True, kw_only=True)
class Season:
    """What came of all performances of one scenario: the calls of its life, the strikes played, what went wrong."""

    calls: int
    strikes: int
    failures: list[str]


@dataclass(frozen=True, kw_only=True)
class Performance:
    """One life as it was lived: its calls, how the books stand in the end, and what is not as it must be."""

    calls: list[Call]
    books: Books
    complaints: list[str]


def strike_everywhere(scenario: Scenario, part: Part, points_of: Points) -> Season:
    """Play the scenario with a strike at each point; each failure names its point."""
    rehearsal = play(scenario, part)
    points = [] if rehearsal.complaints else list(points_of(rehearsal.calls))
    failures = [f"undisturbed: {complaint}" for complaint in rehearsal.complaints]
    for point in points:
        where = f"call {point.call} of {len(rehearsal.calls)} ({rehearsal.calls[point.call - 1]}), {point.moment}"
        failures += [f"{where}: {complaint}" for complaint in _strike(scenario, part, point, rehearsal)]
    return Season(calls=len(rehearsal.calls), strikes=len(points), failures=failures)


def play(scenario: Scenario, part: Part, point: Point | None = None) -> Performance:
    """Live the life from an empty account to the end of all its jobs, with a strike at the point."""
    edge = Edge(point)
    with _stage(scenario, part, edge) as life:
        scenario.live(life)
        life.settle()
        calls = list(edge.calls)
        life.come_again()
        remains = remains_of(life, ends=scenario.ends, forgotten=scenario.forgotten)
        return Performance(calls=calls, books=remains.books, complaints=complaints(remains))


def _strike(scenario: Scenario, part: Part, point: Point, rehearsal: Performance) -> Iterator[str]:
    struck = rehearsal.calls[point.call - 1]
    try:
        played = play(scenario, part, point)
    except Exception as error:  # noqa: BLE001 - whatever it is, the report must say at which point it came
        yield f"{type(error).__name__}: {error}"
        return
    yield from played.complaints
    if played.calls[: point.call] != rehearsal.calls[: point.call]:
        yield "the life did not come to this call as it did in the rehearsal"
    if point.moment is Moment.REPLY_LOST and struck.of_aws and played.books != rehearsal.books:
        yield f"the SDK's repetition changed the books: {played.books} instead of {rehearsal.books}"


@contextmanager
def _stage(scenario: Scenario, part: Part, edge: Edge) -> Iterator[Life]:
    """An empty account, a provider without memory, and a clock that moves only when told to, or slept by."""
    random.seed(scenario.name)
    with empty_account(part, default_deadline=DEADLINE, **scenario.settings) as place:
        life = Life(place, part, edge)
        with (
            patch.object(time, "sleep", place.clock.shift),
            network_behind(edge, part.server, timed=life.call_provider),
        ):
            yield life
