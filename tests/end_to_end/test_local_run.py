"""`make run`: one run that ends after its two files, next to one that serves until it is interrupted."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import requests
from PIL import Image

from local.tools import LOCAL, ROOT, require_tools

MINUTE = 60


@dataclass
class Run:
    """A local run and its output so far."""

    folder: Path
    process: subprocess.Popen[str]
    output: str = ""

    def read_until(self, words: str) -> None:
        """Reads the output until a line contains these words."""
        assert self.process.stdout
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
    def endpoint(self) -> Path:
        """The file that says where the run serves."""
        return self.folder / "endpoint.json"


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Run, Run]]:
    """Two runs of one checkout at the same time; the first has ONCE=1."""
    require_tools()
    with tempfile.TemporaryDirectory(prefix="test-", dir=LOCAL) as folder:
        runs = _started(Path(folder, "once"), ONCE="1"), _started(Path(folder, "serving"))
        yield runs
        for run in runs:
            run.process.kill()
            run.process.communicate()


def test_with_once_a_run_ends_after_a_track_and_an_image(both: tuple[Run, Run]) -> None:
    """It leaves no process and no endpoint file."""
    run, _ = both
    assert run.end() == 0, run.output
    with wave.open(str(run.saved(".wav"))) as track:
        assert track.getnframes() / track.getframerate() == pytest.approx(10, abs=0.1)
    with Image.open(run.saved(".png")) as image:
        image.load()
        assert image.size == (512, 512)
    assert not run.endpoint.exists()
    assert _left_behind(run) == []


def test_a_run_prints_that_a_model_is_loading(both: tuple[Run, Run]) -> None:
    """The operator sees the reason for the wait."""
    run, _ = both
    assert "waiting for model_loading" in run.output


def test_a_run_serves_at_its_endpoint_until_it_is_interrupted(both: tuple[Run, Run]) -> None:
    """Ctrl-C ends it without leaving a process or an endpoint file."""
    _, run = both
    run.read_until("serving until Ctrl-C")
    endpoint = json.loads(run.endpoint.read_text())
    job = requests.post(
        f"{endpoint['api_url']}/generate",
        headers={"x-api-key": endpoint["api_key"]},
        json={"prompt": "a slow waltz"},
        timeout=30,
    )
    assert job.status_code == 202
    assert requests.get(endpoint["model_server"], timeout=30).ok
    run.process.send_signal(signal.SIGINT)
    assert run.end() == 0, run.output
    assert not run.endpoint.exists()
    assert _left_behind(run) == []


def _started(folder: Path, **variables: str) -> Run:
    environment = {name: value for name, value in os.environ.items() if name not in ("HF_TOKEN", "MODEL_SERVER")}
    process = subprocess.Popen(
        [sys.executable, "-m", "local.run", "--folder", str(folder)],
        cwd=ROOT,
        env=environment | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Run(folder, process)


def _left_behind(run: Run) -> list[psutil.Process]:
    """The processes of the run that still exist: the emulator and its functions have their home in its folder."""
    return [process for process in psutil.process_iter() if _home(process).startswith(str(run.folder))]


def _home(process: psutil.Process) -> str:
    try:
        return process.environ().get("HOME", "")
    except psutil.Error:
        return ""
