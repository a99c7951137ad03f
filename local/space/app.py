"""Starts the app of the Space as a separate process, and ends it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local.tools import LOCAL, ROOT, LocalRunError, environment, tail

PYTHON = LOCAL / "space/bin/python"
RENDERED = "local.space.rendered"

#: The app sends nothing to Gradio or to Hugging Face, and serves on loopback only.
QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}


@dataclass(frozen=True, kw_only=True)
class App:
    """A running app: its URL, and its process."""

    url: str
    process: subprocess.Popen[str]

    def kill(self) -> None:
        """End it at once, as a restart of the Space does; its calls and files are lost."""
        self.process.kill()
        self.process.wait()


@contextmanager
def space_app(home: Path, *, module: str = RENDERED, options: tuple[str, ...] = ()) -> Iterator[App]:
    """The app that `module` serves, with its files and its log below `home`; it is ended at the end.

    Raises LocalRunError if it does not start.
    """
    if not PYTHON.exists():
        raise LocalRunError(f"{PYTHON} is missing: start with `make run SPACE=1` or `make test`, which install it")
    home.mkdir(parents=True, exist_ok=True)
    log = home / "space.log"
    with (
        tempfile.TemporaryDirectory(prefix="space-", dir=home, ignore_cleanup_errors=True) as files,
        log.open("ab") as output,
        subprocess.Popen(
            [PYTHON, "-m", module, *options],
            cwd=ROOT,
            env=environment(Path(files), **QUIET),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield App(url=_url(process, log), process=process)
        finally:
            process.kill()


def _url(process: subprocess.Popen[str], log: Path) -> str:
    """The address that the app prints once it serves."""
    line = process.stdout.readline().strip() if process.stdout else ""
    if not line:
        raise LocalRunError(f"the Space's app did not start:\n{tail(log)}")
    return line
