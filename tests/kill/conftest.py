"""What the kill tests share: SDK clients that outlive our processes, and a count of the points in the summary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from local.model_server import ModelServer
from local.replicate_server import ReplicateServer
from tests.aws import ACCOUNT
from tests.kill.edge import Moment
from tests.kill.theatre import AnyServer, Scenario, strike_everywhere

POINTS, STRIKES = "kill points", "kill strikes"


@pytest.fixture(scope="module", autouse=True)
def _lasting_clients() -> Iterator[None]:
    """Making a client takes as long as a whole life; it remembers nothing that a new one would not."""
    make, made = boto3.client, {}

    def client(name: str, **options: Any) -> Any:
        kind = (name, *options)
        if kind not in made:
            made[kind] = make(name, **options)
        return made[kind]

    with patch.dict("os.environ", ACCOUNT), patch.object(boto3, "client", client):
        yield


@pytest.fixture
def survives(model_server: ModelServer, record_property: Callable[[str, object], None]) -> Callable[[Scenario], None]:
    """Play a scenario to the end at every point of it; every failure is named by its point."""
    return _survives(model_server, record_property)


@pytest.fixture
def survives_by_reference(
    record_property: Callable[[str, object], None],
) -> Iterator[Callable[[Scenario], None]]:
    """The same with a provider that answers with a reference; a generation is done at its first poll."""
    with ReplicateServer(quick=True, polls=1) as server:
        yield _survives(server, record_property)


def _survives(server: AnyServer, record_property: Callable[[str, object], None]) -> Callable[[Scenario], None]:
    def check(scenario: Scenario) -> None:
        season = strike_everywhere(scenario, server)
        record_property(STRIKES, season.strikes)
        record_property(POINTS, season.calls * len(Moment))
        if season.failures:
            pytest.fail(f"{len(season.failures)} complaints:\n" + "\n".join(season.failures), pytrace=False)

    return check


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many points each scenario has: three for each call; and how many of them differ and were played."""
    counts = dict(_counts(terminalreporter))
    if not counts:
        return
    terminalreporter.section("kill points")
    terminalreporter.write_line("points played")
    for name, (points, strikes) in counts.items():
        terminalreporter.write_line(f"{points:6} {strikes:6}  {name}")
    points, strikes = (sum(column) for column in zip(*counts.values(), strict=True))
    terminalreporter.write_line(f"{points:6} {strikes:6}  in all")


def _counts(reporter: pytest.TerminalReporter) -> Iterator[tuple[str, tuple[int, int]]]:
    for report in [*reporter.getreports("passed"), *reporter.getreports("failed")]:
        found = dict(report.user_properties)
        if POINTS in found:
            yield report.nodeid.partition("[")[2].rstrip("]"), (found[POINTS], found[STRIKES])
