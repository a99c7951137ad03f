"""Generations of 45 s and of 120 s through Longplay, deployed to the local stack, beside a synchronous API."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from benchmarks.gateway import INTEGRATION_TIMEOUT, synchronous_api
from benchmarks.tables import show
from local.emulator.deployment import deploy
from local.emulator.emulator import emulator
from local.run.caller import Caller, download
from local.stand_ins.model import ModelServer
from local.tools import LOCAL, require_tools

DURATIONS = (45.0, 120.0)  # seconds a generation takes
TIMEOUT = 300  # seconds
QUICK = 20  # times as fast


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One generation asked for in one way, and what came of it for its caller."""

    way: str
    took: float
    seconds: float
    got: str


def main(*, pace: float) -> None:
    """Ask for each generation in each way, all at the same time, and print what came of it."""
    durations = [seconds / pace for seconds in DURATIONS]
    with ModelServer() as server, _ways(server.url, pace) as ways:
        for ask in ways.values():
            ask("a short one")  # the first call of all starts the emulator's functions
        server.clear()
        for seconds in durations:
            server.fault("slow", prompt=_words(seconds), seconds=seconds, times=None)
        began = time.monotonic()
        trials = _tried(ways, durations)
        _until_all_is_billed(server)
        lasted = time.monotonic() - began
        _show(trials, server, lasted=lasted, patience=INTEGRATION_TIMEOUT / pace)


def _tried(ways: Mapping[str, Callable[[str], str]], durations: list[float]) -> list[Trial]:
    with ThreadPoolExecutor() as callers:
        running = [callers.submit(_try, way, ask, took) for took in durations for way, ask in ways.items()]
        return [trial.result() for trial in running]


def _try(way: str, ask: Callable[[str], str], took: float) -> Trial:
    began = time.monotonic()
    got = ask(_prompt(way, took))
    return Trial(way=way, took=took, seconds=time.monotonic() - began, got=got)


@contextmanager
def _ways(model_server: str, pace: float) -> Iterator[Mapping[str, Callable[[str], str]]]:
    """By name, what asks for a prompt and tells what it got."""
    with (
        _longplay(model_server) as (caller, folder),
        synchronous_api(model_server, timeout=INTEGRATION_TIMEOUT / pace) as api,
    ):
        yield {
            "Longplay": lambda prompt: _ask_longplay(caller, folder, prompt),
            "synchronous": lambda prompt: _ask_at_once(api, prompt),
        }


@contextmanager
def _longplay(model_server: str) -> Iterator[tuple[Caller, Path]]:
    """Deployed as `make run` deploys it; the folder is for what comes out."""
    require_tools()
    servers = json.dumps({"*": f"{model_server}/models/{{model}}"})
    with tempfile.TemporaryDirectory(prefix="bench-", dir=LOCAL) as folder, emulator(Path(folder)) as aws:
        deployment = deploy(aws, Path(folder), context={"stage": "local", "servers": servers})
        yield Caller(deployment.api_url, deployment.new_key("bench")), Path(folder)


def _ask_longplay(caller: Caller, folder: Path, prompt: str) -> str:
    began = time.monotonic()
    job_id = caller.submit({"prompt": prompt})["id"]
    accepted = time.monotonic() - began
    *_, job = caller.follow([job_id])
    if job["status"] != "succeeded":
        return f"202 after {accepted:.1f} s, then {job['status']}: {job['error']['message']}"
    return f"202 after {accepted:.1f} s, then the file: {download(job, folder).stat().st_size:,} bytes"


def _ask_at_once(api: str, prompt: str) -> str:
    answer = requests.post(api, json={"prompt": prompt}, timeout=TIMEOUT)
    return f"{answer.status_code}: {answer.json()['message'] if not answer.ok else f'{len(answer.content):,} bytes'}"


def _until_all_is_billed(server: ModelServer) -> None:
    """A generation whose caller was sent away is still under way."""
    while any(exchange.finished_at is None for exchange in server.requests):
        time.sleep(0.1)


def _show(trials: list[Trial], server: ModelServer, *, lasted: float, patience: float) -> None:
    show(
        "Generations longer than API Gateway waits",
        ("generation takes", "way", "caller waited", "caller got", "provider billed"),
        [
            (f"{t.took:g} s", t.way, f"{t.seconds:.1f} s", t.got, _billed(server, _prompt(t.way, t.took)))
            for t in trials
        ],
        f"All at the same time, once each, after a short one; {lasted:.0f} s in all. Longplay: its stack on the local",
        f"emulator, stage `local`. Synchronous: the same adapter behind a front that gives up after {patience:g} s, as",
        "API Gateway does; the provider goes on and bills for what nobody receives.",
    )


def _billed(server: ModelServer, prompt: str) -> str:
    times = sum(exchange.billed for exchange in server.requests if exchange.inputs == prompt)
    return f"{times} generation" + "s" * (times != 1)


def _prompt(way: str, took: float) -> str:
    return f"a waltz that {_words(took)}, {way}"


def _words(took: float) -> str:
    return f"takes {took:g} s"


if __name__ == "__main__":
    main(pace=QUICK if "--quick" in sys.argv else 1)
