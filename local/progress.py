"""What a local run tells whoever watches it: lines with the seconds since its start."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_STARTED = time.monotonic()


def say(text: str) -> None:
    """One line, shown at once even when the output is not a terminal."""
    print(f"{time.monotonic() - _STARTED:5.1f} s  {text}", flush=True)


def saved(path: Path) -> None:
    """The one line that programs look for."""
    print(f"saved {path}", flush=True)


def describe(job: Mapping[str, Any]) -> str:
    """A job's status, why it waits and for how long, or why it failed and what to do about it."""
    text = f"{job['kind']} {job['id']}: {job['status']}"
    if wait := job.get("wait"):
        text += f", waiting for {wait['reason']}{_seconds(wait.get('eta_seconds'))}"
    if error := job.get("error"):
        text += f": {error['message']} ({error['code']})"
    return text


def curl(api_url: str, api_key: str, body: str) -> str:
    """A command line to paste: it submits `body`."""
    return f"curl -X POST {api_url}/generate -H 'x-api-key: {api_key}' -d {shlex.quote(body)}"


def _seconds(eta: float | None) -> str:
    return "" if eta is None else f", about {eta:.0f} s"
