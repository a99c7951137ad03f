"""A pytest plugin that decides the order of the tests, the worker of each, and which need the emulator.

The folders with the longest tests come first, so that no core is idle at the end. Tests that share a deployment, an
emulator, a synthesized stack or a Space's app run on one worker: it makes them once, and no other worker waits for
them.
"""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

TESTS = Path(__file__).parents[1]
LONGEST_FIRST = ("end_to_end", "infra", "kill", "stories", "properties", "mutation", "stand_ins", "providers")
ON_ONE_WORKER = ("end_to_end", "infra", "spaces")
EMULATOR_FIXTURES = {"home", "running"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that start the emulator, and sorts all by their folders; within a folder they stay in order."""
    for item in items:
        if EMULATOR_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("emulator")
    items.sort(key=_rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """The scheduler for `--dist loadfile`."""
    return _Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


class _Scheduling(LoadFileScheduling):  # type: ignore[misc]
    def _split_scope(self, nodeid: str) -> str:
        """The file of a test, or its folder."""
        file = str(super()._split_scope(nodeid))
        folder = file.split("/")[1]
        return folder if folder in ON_ONE_WORKER else file


def _rank(item: pytest.Item) -> int:
    folder = item.path.relative_to(TESTS).parts[0]
    return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)


def pytest_collection_finish() -> None:
    """Leaves what is loaded by now out of garbage collection: a walk through moto and botocore takes long."""
    gc.collect()
    gc.freeze()
