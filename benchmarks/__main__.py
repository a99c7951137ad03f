"""`make bench` runs every benchmark; `python -m benchmarks NAME` runs one, with --quick the long one in seconds."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ("calls", "units", "limits", "pacing", "waiting", "memory", "cold_start", "beyond_29_seconds")


def main() -> int:
    """The number of benchmarks that did not come to their end."""
    arguments = _arguments()
    return sum(_run(name, quick=arguments.quick) for name in arguments.names or BENCHMARKS)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="beyond_29_seconds on a clock 20 times as fast")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are: {', '.join(BENCHMARKS)}")
    return arguments


def _run(name: str, *, quick: bool) -> bool:
    """Whether it failed. Each runs in its own process, so that its imports do not slow the next one."""
    options = ["--quick"] if quick and name == "beyond_29_seconds" else []
    began = time.perf_counter()
    paths = os.pathsep.join((str(ROOT / "lambdas"), str(ROOT)))
    ended = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths, "POWERTOOLS_LOG_LEVEL": "CRITICAL"},
        check=False,
    )
    print(f"({name}: {time.perf_counter() - began:.0f} s)\n", flush=True)
    return ended.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
