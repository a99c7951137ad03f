"""The endpoint of a local run, which other programs find in `endpoint.json` while it serves."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from local.tools import LocalRunError

ENDPOINT = "endpoint.json"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """The page with the key in its address, the API and its key, the faces, the model server, and the AWS emulator."""

    page_url: str
    api_url: str
    api_key: str
    faces_url: str | None
    model_server: str
    aws_url: str


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Lock `folder` for this run; raises LocalRunError if another run has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LocalRunError(f"another run already serves from this folder, see {folder / ENDPOINT}") from error
        (folder / ENDPOINT).unlink(missing_ok=True)  # left by a run that was killed
        yield


@contextmanager
def announced(endpoint: Endpoint, folder: Path) -> Iterator[None]:
    """Write `endpoint.json` in `folder` in one step, and remove it at the end."""
    file, draft = folder / ENDPOINT, folder / f"{ENDPOINT}.draft"
    draft.write_text(json.dumps(asdict(endpoint)))
    draft.replace(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
