"""Local runs (`make run`) as tests start them: their output, their endpoint, and what they leave behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.tools import ROOT

MINUTE = 60
CHOICES = ("HF_TOKEN", "MODEL_SERVER", "SPACE", "PORT", "STAGE")


@dataclass
class Run:
    """A local run and its output so far."""

    folder: Path
    process: subprocess.Popen[str]
    output: str = ""

    def read_until(self, words: str) -> None:
        """Reads the output until a line contains these words; what was read before counts, too."""
        assert self.process.stdout
        if words in self.output:
            return
        for line in self.process.stdout:
            self.output += line
            if words in line:
                return
        raise AssertionError(f"it never printed {words!r}:\n{self.output}")

    def end(self) -> int:
        """Waits for the run to end and returns its exit code."""
        self.output += self.process.communicate(timeout=2 * MINUTE)[0]
        return self.process.returncode

    def saved(self, suffix: str) -> Path:
        """The path of the one saved file with this suffix."""
        [path] = re.findall(rf"^saved (.*{suffix})$", self.output, re.MULTILINE)
        return Path(path)

    @property
    def address(self) -> dict[str, str]:
        """Where it serves, as the endpoint file says."""
        return dict(json.loads(self.endpoint.read_text()))

    def interrupt(self) -> None:
        """Sends it what Ctrl-C sends."""
        self.process.send_signal(signal.SIGINT)

    @property
    def endpoint(self) -> Path:
        """The file that says where the run serves."""
        return self.folder / "endpoint.json"


def started(folder: Path, **variables: str) -> Run:
    """A run with its files in `folder`, with these environment variables."""
    environment = {name: value for name, value in os.environ.items() if name not in CHOICES}
    process = subprocess.Popen(
        [sys.executable, "-m", "local.run", "--folder", str(folder)],
        cwd=ROOT,
        env=environment | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Run(folder, process)


def left_behind(run: Run) -> list[psutil.Process]:
    """The processes of the run that still exist: the emulator and its functions have their home in its folder."""
    return [process for process in psutil.process_iter() if _home(process).startswith(str(run.folder))]


def _home(process: psutil.Process) -> str:
    try:
        return process.environ().get("HOME", "")
    except psutil.Error:
        return ""
