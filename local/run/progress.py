"""The messages of a local run: lines with the seconds since its start."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_STARTED = time.monotonic()


def say(text: str) -> None:
    """Print one line at once, also if the output is not a terminal."""
    print(f"{time.monotonic() - _STARTED:5.1f} s  {text}", flush=True)


def saved(path: Path) -> None:
    """Print the path of a saved file, in the form that other programs read."""
    print(f"saved {path}", flush=True)


def describe(job: Mapping[str, Any]) -> str:
    """A job's status, with its reason to wait and the estimate, or with its error."""
    text = f"{job['kind']} {job['id']}: {job['status']}"
    if wait := job.get("wait"):
        text += f", waiting for {wait['reason']}{_seconds(wait.get('eta_seconds'))}"
    if error := job.get("error"):
        text += f": {error['message']} ({error['code']})"
    return text


def curl(api_url: str, api_key: str, body: str) -> str:
    """A curl command that submits `body`."""
    return f"curl -X POST {api_url}/generate -H 'x-api-key: {api_key}' -d {shlex.quote(body)}"


def megabytes(folder: Path) -> int:
    """How much disk the files of a folder take; some may go in between."""
    return round(sum(_bytes(Path(base, name)) for base, _, names in os.walk(folder) for name in names) / 1e6)


def _bytes(path: Path) -> int:
    try:
        return path.lstat().st_blocks * 512
    except FileNotFoundError:
        return 0


def _seconds(eta: float | None) -> str:
    return "" if eta is None else f", about {eta:.0f} s"
