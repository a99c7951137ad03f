"""Plays a scenario once undisturbed to find every call of its life, and then again with a strike at each of them.

Not every boundary needs a performance of its own. A process killed after a call is where it would be killed before its
next one, and nothing changes at a read: so a kill is played before each call that changes something and after the last
such call of each process, and a reply is lost at each. That covers every boundary between any two calls.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import time_machine
import wiring
from longplay.settings import parse_settings
from moto import mock_aws

from local.model_server import ModelServer
from local.replicate_server import ReplicateServer
from tests.aws import SECRET, make_account
from tests.kill.audit import Books, complaints, remains_of
from tests.kill.edge import Call, Edge, Moment, Point
from tests.kill.life import Life
from tests.kill.network import network_behind

AnyServer = ModelServer | ReplicateServer

BEGINNING = datetime(2026, 3, 4, 12, tzinfo=UTC)
ON_LOOPBACK = {"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1:.*"]}}}
DEADLINE = 1_200


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A life, and how each of its jobs, by name, may end: "a | b" for either, "never created" among them.

    `live` does what matters; time then passes by itself until all is quiet. `forgotten` is how many results its callers
    may erase before the ledger has learnt of them. `settings` are Longplay's.
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


def strike_everywhere(scenario: Scenario, server: AnyServer) -> Season:
    """Play the scenario with a strike at each point; each failure names its point."""
    rehearsal = play(scenario, server)
    points = [] if rehearsal.complaints else list(points_of(rehearsal.calls))
    failures = [f"undisturbed: {complaint}" for complaint in rehearsal.complaints]
    for point in points:
        where = f"call {point.call} of {len(rehearsal.calls)} ({rehearsal.calls[point.call - 1]}), {point.moment}"
        failures += [f"{where}: {complaint}" for complaint in _strike(scenario, server, point, rehearsal)]
    return Season(calls=len(rehearsal.calls), strikes=len(points), failures=failures)


def points_of(calls: Sequence[Call]) -> Iterator[Point]:
    """The points of a life that differ from each other."""
    changing = {n: call for n, call in enumerate(calls, 1) if not call.reads}
    last_of_its_process = {call.process: n for n, call in changing.items()}
    for n, call in changing.items():
        yield Point(n, Moment.BEFORE)
        yield Point(n, Moment.REPLY_LOST)
        if last_of_its_process[call.process] == n:
            yield Point(n, Moment.AFTER)


def play(scenario: Scenario, server: AnyServer, point: Point | None = None) -> Performance:
    """Live the life from an empty account to the end of all its jobs, with a strike at the point."""
    edge = Edge(point)
    with _stage(scenario, server, edge) as life:
        scenario.live(life)
        life.settle()
        calls = list(edge.calls)
        life.come_again()
        remains = remains_of(
            life, ends=scenario.ends, forgotten=scenario.forgotten, settings=_settings(scenario, server)
        )
        return Performance(calls=calls, books=remains.books, complaints=complaints(remains))


def _strike(scenario: Scenario, server: AnyServer, point: Point, rehearsal: Performance) -> Iterator[str]:
    struck = rehearsal.calls[point.call - 1]
    try:
        played = play(scenario, server, point)
    except Exception as error:  # noqa: BLE001 - whatever it is, the report must say at which point it came
        yield f"{type(error).__name__}: {error}"
        return
    yield from played.complaints
    if played.calls[: point.call] != rehearsal.calls[: point.call]:
        yield "the life did not come to this call as it did in the rehearsal"
    if point.moment is Moment.REPLY_LOST and struck.of_aws and played.books != rehearsal.books:
        yield f"the SDK's repetition changed the books: {played.books} instead of {rehearsal.books}"


@contextmanager
def _stage(scenario: Scenario, server: AnyServer, edge: Edge) -> Iterator[Life]:
    """An empty account, a provider without memory, and a clock that moves only when told to, or slept by."""
    server.clear()
    random.seed(scenario.name)
    wiring.dependencies.cache_clear()
    with mock_aws(config=ON_LOOPBACK), time_machine.travel(BEGINNING, tick=False) as clock:
        aws = make_account()
        aws.secrets.put_secret_value(SecretId=SECRET, SecretString='{"replicate": "r8_token"}')
        life = Life(aws=aws, server=server, edge=edge, clock=clock)
        environment = {**aws.environment, "SETTINGS": json.dumps(_raw_settings(scenario, server))}
        with (
            patch.dict("os.environ", environment),
            patch.object(time, "sleep", clock.shift),
            network_behind(edge, server, timed=life.call_provider),
        ):
            yield life
    wiring.dependencies.cache_clear()


def _raw_settings(scenario: Scenario, server: AnyServer) -> dict[str, Any]:
    return {"servers": _servers(server), "default_deadline": DEADLINE, **scenario.settings}


def _servers(server: AnyServer) -> dict[str, str]:
    if isinstance(server, ReplicateServer):
        return {"replicate": server.url}
    return {"*": f"{server.url}/hf-inference/models/{{model}}"}


def _settings(scenario: Scenario, server: AnyServer) -> Any:
    return parse_settings(json.dumps(_raw_settings(scenario, server)))
