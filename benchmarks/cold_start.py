"""The cost of a cold start: the work to import and set up each function in a fresh process, and the asset's size."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks.tables import show, spread
from infra.functions.bundling import FOR_LAMBDA, LAMBDAS, LEFT_OUT

REPEATS = 11
MEGABYTE = 1_000_000
BASE = "boto3 and a DynamoDB client alone"
#: The part of the wiring that each entry point asks for at its first event.
PARTS = {"submit": "service", "jobs": "service", "generator": "worker", "sweeper": "sweeper"}
PROGRAMS: Mapping[str, str] = {
    "Python alone": "",
    BASE: "import boto3; boto3.client('dynamodb')",
    **{entry: f"import {entry}, wiring; wiring.dependencies().{part}" for entry, part in PARTS.items()},
}
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "TABLE_NAME": "jobs",
    "BUCKET_NAME": "results",
    "CALLS_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/000000000000/calls",
    "STEPS_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/000000000000/steps",
    "PROVIDER_SECRET_ID": "provider-tokens",
    "SETTINGS": "{}",
}


def main() -> None:
    """Print both tables."""
    show_starts()
    show_sizes()


def show_starts() -> None:
    """The processor time of each entry point's process, beside what any function with boto3 needs."""
    with tempfile.TemporaryDirectory() as bytecode:
        for program in PROGRAMS.values():
            _work(program, bytecode)  # compiles what the others find compiled, and warms the page cache
        rounds = [{name: _work(program, bytecode) * 1000 for name, program in PROGRAMS.items()} for _ in range(REPEATS)]
    times = {name: [measured[name] for measured in rounds] for name in PROGRAMS}
    show(
        "Cold start: import the entry point and make its parts, in a fresh process",
        ("what", "processor time", "ratio"),
        [(name, spread(values, "ms"), f"{median(values) / median(times[BASE]):.2f}") for name, values in times.items()],
        f"{REPEATS} rounds, all in turn in each; median [middle half] of user and system time. This machine is not",
        f"Lambda: go by the ratios, which are to {BASE}.",
    )


def show_sizes() -> None:
    """The asset as it is deployed: with its packages for Lambda, without boto3, which the runtime brings."""
    with tempfile.TemporaryDirectory() as folder:
        asset = Path(folder, "asset")
        shutil.copytree(LAMBDAS, asset, ignore=shutil.ignore_patterns(*LEFT_OUT))
        own = _megabytes(asset)
        _install(asset)
        zipped = Path(shutil.make_archive(str(asset), "zip", asset)).stat().st_size / MEGABYTE
        rows = [("our own code", f"{own:.2f} MB"), ("with its packages", f"{_megabytes(asset):.1f} MB")]
        rows.append(("zipped, as it is uploaded", f"{zipped:.1f} MB"))
    show("The asset of all functions", ("what", "size"), rows)


def _work(program: str, bytecode: str) -> float:
    """Seconds of processor time; waiting for a processor that others use is left out."""
    began = _used()
    compiled = {"PYTHONPYCACHEPREFIX": bytecode, "PYTHONDONTWRITEBYTECODE": ""}
    subprocess.run([sys.executable, "-c", program], env={**os.environ, **ENVIRONMENT, **compiled}, check=True)
    return _used() - began


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _install(asset: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-compile"]
    options = ["--only-binary=:all:", f"--target={asset}", f"--requirement={asset / 'requirements.txt'}"]
    subprocess.run([*pip, *options, *FOR_LAMBDA], check=True)


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MEGABYTE


if __name__ == "__main__":
    main()
