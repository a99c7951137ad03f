"""What the mutants run on, and their table in the summary."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.aws import ACCOUNT, make_account
from tests.mutation.bench import Bench, make_bench

MUTANT = "mutant"


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """One table for all: every scenario has jobs of its own."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name, value in ACCOUNT.items():
            patch.setenv(name, value)
        yield make_bench(make_account().dynamodb)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Each condition, and the scenario that notices when it is gone."""
    reports = terminalreporter.getreports("passed") + terminalreporter.getreports("failed")
    rows = [
        (*properties[MUTANT], report.outcome)
        for report in reports
        if report.when == "call" and MUTANT in (properties := dict(report.user_properties))
    ]
    if not rows:
        return
    terminalreporter.section(f"{len(rows)} conditions removed, one at a time")
    for change, condition, scenario, outcome in rows:
        noticed = scenario.replace("_", " ") if outcome == "passed" else f"NOT NOTICED: {scenario}"
        terminalreporter.write_line(f"{change:17} {condition:50} {noticed}")
