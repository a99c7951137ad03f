"""Tries a mutant: puts it into a copy of the checkout and runs the tests that execute its line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.tools import ROOT
from tests.mutation.source.operators import Mutation

_SECONDS_OF_TESTS = 240.0  # of a mutant, by their usual times; the quick ones come first
_SLOWEST = 4.0  # times as long as usual and a minute more, and the mutant hangs
_PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
_FOLDERS = ("lambdas/longplay/engine", "lambdas/longplay/domain")


@dataclass(frozen=True)
class Trial:
    """The tests' verdict on a mutant: the first that noticed, or None if all passed; and how many were run."""

    mutation: Mutation
    noticed_by: str | None
    tests: int


@dataclass(frozen=True)
class Tests:
    """The tests by their usual seconds, and those that execute a line of a file."""

    seconds: Mapping[str, float]
    by_line: Mapping[str, Mapping[int, frozenset[str]]]

    def of(self, mutation: Mutation) -> list[str]:
        """Those that execute the mutant's line, or its file if that is executed on import, or all; quick ones first."""
        lines = self.by_line.get(mutation.path, {})
        tests = lines.get(mutation.line) or frozenset().union(*lines.values()) or frozenset(self.seconds)
        return list(_within(_SECONDS_OF_TESTS, sorted((self.seconds.get(test, 0), test) for test in tests)))


def _within(seconds: float, tests: list[tuple[float, str]]) -> Iterator[str]:
    for taken, test in tests:
        seconds -= taken
        if seconds < 0:
            return
        yield test


def checkout(folder: Path) -> Path:
    """A copy of the files that git knows, with their present content."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    return folder


def measured(copy: Path, folders: list[str]) -> Tests:
    """Runs the tests of some folders once, with each line's tests written down; raises if one fails."""
    covered = [f"--cov={folder}" for folder in _FOLDERS]
    _run(copy, [*_PYTEST, "-n", "2", "-p", "tests.mutation.source.timings", *covered, "--cov-context=test", *folders])
    _run(copy, [sys.executable, "-m", "coverage", "json", "-q", "--show-contexts", "-o", "coverage.json"])
    files = json.loads((copy / "coverage.json").read_text())["files"]
    return Tests(
        seconds=json.loads((copy / "timings.json").read_text()),
        by_line={path: dict(_lines(file["contexts"])) for path, file in files.items()},
    )


def _lines(contexts: Mapping[str, list[str]]) -> Iterator[tuple[int, frozenset[str]]]:
    for line, names in contexts.items():
        yield int(line), frozenset(name.rpartition("|")[0] for name in names if name)


def tried(copy: Path, mutation: Mutation, tests: Tests) -> Trial:
    """The mutant's trial in this copy, which is as before afterwards."""
    chosen = tests.of(mutation)
    if not chosen:
        return Trial(mutation, None, 0)
    (copy / "chosen.txt").write_text("\n".join(chosen))
    usual = sum(tests.seconds.get(test, 0) for test in chosen)
    with _changed(copy / mutation.path, mutation):
        return Trial(mutation, _noticed(copy, 60 + _SLOWEST * usual), len(chosen))


@contextmanager
def _changed(path: Path, mutation: Mutation) -> Iterator[None]:
    before = path.read_text()
    path.write_text(mutation.applied(before))
    try:
        yield
    finally:
        path.write_text(before)


def _noticed(copy: Path, seconds: float) -> str | None:
    command = [*_PYTEST, "-x", "--tb=no", "@chosen.txt"]
    try:
        ran = subprocess.run(command, cwd=copy, capture_output=True, text=True, env=_environment(copy), timeout=seconds)
    except subprocess.TimeoutExpired:
        return "it hangs"
    failed = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return (failed or [f"pytest ends with {ran.returncode}"])[0] if ran.returncode else None


def _run(copy: Path, command: list[str]) -> None:
    subprocess.run(command, cwd=copy, check=True, env=_environment(copy), stdout=sys.stderr)


def _environment(copy: Path) -> dict[str, str]:
    return os.environ | {"MUTATION_TIMINGS": str(copy / "timings.json"), "PYTHONDONTWRITEBYTECODE": "1"}
