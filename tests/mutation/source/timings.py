"""A pytest plugin that writes each test's seconds, setup included, as JSON to the file of MUTATION_TIMINGS."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

_seconds: defaultdict[str, float] = defaultdict(float)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Adds a phase of a test."""
    _seconds[report.nodeid] += report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Writes the file, on the process that has all reports."""
    if not hasattr(session.config, "workerinput"):
        Path(os.environ["MUTATION_TIMINGS"]).write_text(json.dumps(_seconds))
