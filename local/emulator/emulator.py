"""An AWS emulator on loopback: MiniStack, without Docker, with IAM enforced."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

import boto3
import requests
from botocore.config import Config

from local.ports import free_port
from local.tools import EMULATOR_PYTHON, RUNTIME_PYTHON, LocalRunError, environment, kill_group, tail

ACCOUNT = "000000000000"
REGION = "us-east-1"
ADMINISTRATOR = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
LAUNCHER = Path(__file__).with_name("launcher.py")
SECONDS_TO_START = 30
SECONDS_TO_STOP = 5


class Session(boto3.Session):
    """A boto3 session whose clients call the emulator at `url`."""

    def __init__(self, url: str, **credentials: str) -> None:
        super().__init__(region_name=REGION, **(credentials or ADMINISTRATOR))  # type: ignore[arg-type]
        self.url = url

    def client(self, service_name: str, *_: Any, **__: Any) -> Any:
        """A client of the service; for S3 with the signature that AWS requires."""
        signature = "s3v4" if service_name == "s3" else None
        return super().client(  # type: ignore[call-overload]
            service_name, endpoint_url=self.url, config=Config(signature_version=signature)
        )


@dataclass(frozen=True, kw_only=True)
class Emulator:
    """A running emulator: its URL, its process, and its log, to which its functions write too."""

    url: str
    pid: int
    log: Path

    def session(self, **credentials: str) -> Session:
        """A session of the administrator, or of `credentials` given by boto3's names."""
        return Session(self.url, **credentials)

    def client(self, service: str, **credentials: str) -> Any:
        """A client from such a session."""
        return self.session(**credentials).client(service)


@contextmanager
def emulator(home: Path, *, port: int | None = None) -> Iterator[Emulator]:
    """An emulator with its log in `home`, at a free port unless one is given.

    At the end it is stopped, with its functions, and their files are deleted. Raises LocalRunError if it does not
    answer within SECONDS_TO_START.
    """
    home.mkdir(parents=True, exist_ok=True)
    port, log = port or free_port(), home / "emulator.log"
    with (
        _emptied(home / "emulator") as files,
        log.open("wb") as output,
        subprocess.Popen(
            [EMULATOR_PYTHON, LAUNCHER, RUNTIME_PYTHON],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(files, port),
            start_new_session=True,
        ) as process,
    ):
        try:
            yield _ready(process, Emulator(url=f"http://127.0.0.1:{port}", pid=process.pid, log=log))
        finally:
            _stop(process)


@contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    """An empty folder, deleted at the end; a killed run may have left one."""
    rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)


def _environment(files: Path, port: int) -> dict[str, str]:
    # With IOT_MTLS_ENABLED or SFTP_ENABLED it would listen on more ports, on all interfaces.
    return environment(
        files,
        GATEWAY_PORT=str(port),
        BIND_HOST="127.0.0.1",
        AUTH="true",
        IOT_MTLS_ENABLED="0",
        SFTP_ENABLED="0",
        PYTHONUNBUFFERED="1",
    )


def _ready(process: subprocess.Popen[bytes], started: Emulator) -> Emulator:
    give_up = time.monotonic() + SECONDS_TO_START
    while not _answers(f"{started.url}/_ministack/ready"):
        if process.poll() is not None or time.monotonic() > give_up:
            raise LocalRunError(f"the AWS emulator did not start:\n{tail(started.log)}")
        time.sleep(0.05)
    return started


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Terminate it, wait, then kill the whole process group: functions can outlive the emulator."""
    process.terminate()
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    kill_group(process.pid)
