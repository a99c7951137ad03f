"""`python -m tests.mutation.source`: changes single lines of engine/ and domain/, and asks the tests who notices.

The same seed chooses the same mutants of the same sources. Those of by_hand.py come first.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from local.tools import LOCAL, ROOT
from tests.mutation.source.by_hand import by_hand
from tests.mutation.source.equivalents import reason
from tests.mutation.source.operators import Mutation, mutations
from tests.mutation.source.trial import Tests, Trial, checkout, measured, tried

MUTATED = ("engine", "domain")
# without those that need the emulator, the tools in .local/ or git, which a copy of the files has not
FOLDERS = [
    *("tests/domain", "tests/mutation", "tests/properties", "tests/providers", "tests/storage", "tests/stories"),
    *("tests/infra/test_settings.py", "tests/project/test_documents.py"),
]


def main() -> int:
    """The exit status: 1 if fewer than nine of ten are noticed, without those that change nothing."""
    arguments = _arguments()
    chosen = [*by_hand(), *_chosen(arguments.seed, arguments.mutants)]
    LOCAL.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mutants-", dir=LOCAL) as folder:
        copies = [checkout(Path(folder, str(number))) for number in range(arguments.jobs)]
        tests = measured(copies[0], arguments.tests)
        trials = list(_printed(_tried(copies, tests, chosen)))
    return _summary(trials)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.source", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutants", type=int, default=100)
    parser.add_argument("--jobs", type=int, default=2, help="how many are tried at a time")
    parser.add_argument("--tests", nargs="+", default=FOLDERS, help="the folders of the tests that may notice")
    return parser.parse_args()


def _chosen(seed: int, count: int) -> list[Mutation]:
    """As many mutants of all as wanted, in the order in which they were drawn."""
    paths = [path for name in MUTATED for path in sorted((ROOT / "lambdas" / "longplay" / name).glob("*.py"))]
    of_all = [mutation for path in paths for mutation in mutations(path.relative_to(ROOT).as_posix(), path.read_text())]
    return random.Random(seed).sample(of_all, min(count, len(of_all)))  # noqa: S311 - guards nothing


def _tried(copies: list[Path], tests: Tests, chosen: Iterable[Mutation]) -> Iterator[Trial]:
    free: SimpleQueue[Path] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def try_one(mutation: Mutation) -> Trial:
        copy = free.get()
        try:
            return tried(copy, mutation, tests)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        yield from pool.map(try_one, chosen)


def _printed(trials: Iterable[Trial]) -> Iterator[Trial]:
    for trial in trials:
        what = trial.noticed_by or reason(trial.mutation) or f"SURVIVES {trial.tests} tests"
        print(f"{trial.mutation}\n    {what}", flush=True)
        yield trial


def _summary(trials: list[Trial]) -> int:
    equivalent = [trial for trial in trials if not trial.noticed_by and reason(trial.mutation)]
    noticed = [trial for trial in trials if trial.noticed_by]
    real = len(trials) - len(equivalent)
    print(f"{len(noticed)} of {real} noticed; {len(equivalent)} more change nothing")
    return int(len(noticed) < 0.9 * real)


if __name__ == "__main__":
    sys.exit(main())
