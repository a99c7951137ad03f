"""`make run`: one that ends after its two files, beside one that serves until it is interrupted."""

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
    """A local run and what it has said so far."""

    folder: Path
    process: subprocess.Popen[str]
    said: str = ""

    def listen_until(self, words: str) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line
            if words in line:
                return
        raise AssertionError(f"it never said {words!r}:\n{self.said}")

    def end(self) -> int:
        self.said += self.process.communicate(timeout=2 * MINUTE)[0]
        return self.process.returncode

    def saved(self, suffix: str) -> Path:
        [path] = re.findall(rf"^saved (.*{suffix})$", self.said, re.MULTILINE)
        return Path(path)

    @property
    def endpoint(self) -> Path:
        return self.folder / "endpoint.json"


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Run, Run]]:
    """Two runs of one checkout at the same time: the first with ONCE=1."""
    require_tools()
    with tempfile.TemporaryDirectory(prefix="test-", dir=LOCAL) as folder:
        runs = _started(Path(folder, "once"), ONCE="1"), _started(Path(folder, "serving"))
        yield runs
        for run in runs:
            run.process.kill()
            run.process.communicate()


def test_with_once_it_ends_after_a_track_and_an_image(both: tuple[Run, Run]) -> None:
    run, _ = both
    assert run.end() == 0, run.said
    with wave.open(str(run.saved(".wav"))) as track:
        assert track.getnframes() / track.getframerate() == pytest.approx(10, abs=0.1)
    with Image.open(run.saved(".png")) as image:
        image.load()
        assert image.size == (512, 512)
    assert not run.endpoint.exists()
    assert _left_behind(run) == []


def test_it_tells_that_a_model_is_loading(both: tuple[Run, Run]) -> None:
    run, _ = both
    assert "waiting for model_loading" in run.said


def test_it_serves_at_its_endpoint_until_it_is_interrupted(both: tuple[Run, Run]) -> None:
    _, run = both
    run.listen_until("serving until Ctrl-C")
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
    assert run.end() == 0, run.said
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
    """The emulator and its functions have their home in the run's folder."""
    return [process for process in psutil.process_iter() if _home(process).startswith(str(run.folder))]


def _home(process: psutil.Process) -> str:
    try:
        return process.environ().get("HOME", "")
    except psutil.Error:
        return ""
