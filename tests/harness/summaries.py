"""A pytest plugin that adds kill points, removed conditions and figures to the summary of a run.

It is a plugin because the process that prints the summary of several workers loads no conftest.py of a folder.
"""

from __future__ import annotations

from typing import Any

import pytest

POINTS, STRIKES = "kill points", "kill strikes"
MUTANT = "mutant"
FIGURE = "figure"
ANSWER = "model answer"

Told = tuple[str, dict[str, Any], str]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A section for each kind of property that tests have recorded."""
    told = [
        (report.nodeid, _properties(report.user_properties), outcome)
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
    ]
    for title, lines in (_kill_points(told), _conditions(told), _figures(told), _answers(told)):
        if lines:
            terminalreporter.section(title)
            for line in lines:
                terminalreporter.write_line(line)


def _properties(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The properties by name; all rows of model answers are one list."""
    rows = [value for name, value in pairs if name == ANSWER]
    return {**dict(pairs), **({ANSWER: rows} if rows else {})}


def _kill_points(told: list[Told]) -> tuple[str, list[str]]:
    """How many points each scenario has: three for each call; and how many of them differ and were played."""
    rows = [(found[POINTS], found[STRIKES], _parameters(test)) for test, found, _ in told if POINTS in found]
    if not rows:
        return "", []
    points, played, _ = zip(*rows, strict=True)
    heads = ("points", "played", "")
    return "kill points", [f"{a:>6} {b:>6}  {c}" for a, b, c in (heads, *rows, (sum(points), sum(played), "in all"))]


def _conditions(told: list[Told]) -> tuple[str, list[str]]:
    """Each condition, and the scenario that notices when it is gone."""
    lines = [_condition(*found[MUTANT], outcome=outcome) for _, found, outcome in told if MUTANT in found]
    return f"{len(lines)} conditions removed, one at a time", lines


def _condition(change: str, condition: str, scenario: str, *, outcome: str) -> str:
    noticed = scenario.replace("_", " ") if outcome == "passed" else f"NOT NOTICED: {scenario}"
    return f"{change:17} {condition:50} {noticed}"


def _figures(told: list[Told]) -> tuple[str, list[str]]:
    return "figures", [found[FIGURE] for _, found, _ in told if FIGURE in found]


def _answers(told: list[Told]) -> tuple[str, list[str]]:
    """A row for each answer of a model: what became of it, its charge, the file, and what the caller reads."""
    return "answers of models", [row for _, found, _ in told for row in found.get(ANSWER, ())]


def _parameters(test: str) -> str:
    return test.partition("[")[2].rstrip("]")
