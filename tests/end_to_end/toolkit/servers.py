"""Starts the toolkit's own web server for a model's folder, on a free port of this machine."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from local.ports import free_port
from local.tools import LOCAL

FOLDER = LOCAL / "toolkit"
PYTHON = FOLDER / "bin" / "python"
READY = FOLDER / "ready"

_APP = "huggingface_inference_toolkit.webservice_starlette:app"
_SECONDS_TO_START = 180.0


@contextmanager
def toolkit_server(model: Path, task: str) -> Iterator[str]:
    """The address of a server that has loaded the model; its log is beside the model's folder."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with model.with_suffix(".log").open("w") as log:
        process = subprocess.Popen(
            [PYTHON, "-m", "uvicorn", _APP, "--host", "127.0.0.1", "--port", str(port)],
            env=os.environ | {"HF_MODEL_DIR": str(model), "HF_TASK": task, "HF_HUB_OFFLINE": "1"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_for(f"{url}health", process, Path(log.name))
            yield url
        finally:
            process.kill()
            process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _SECONDS_TO_START
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > until:
            raise AssertionError(f"the toolkit does not serve:\n{log.read_text()}")
        time.sleep(0.2)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False
