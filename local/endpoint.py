"""Where a local run serves, kept for other programs in `endpoint.json` as long as it does."""

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
    """The API, the key that opens it, the server that generates, and the emulator all of it stands on."""

    api_url: str
    api_key: str
    model_server: str
    aws_url: str


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keeps every other run out of `folder`; raises LocalRunError when one is there already."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LocalRunError(f"another run serves here already, see {folder / ENDPOINT}") from error
        (folder / ENDPOINT).unlink(missing_ok=True)  # of a run that was killed
        yield


@contextmanager
def announced(endpoint: Endpoint, folder: Path) -> Iterator[None]:
    """Keeps `endpoint.json` in `folder`: there at once and whole, gone at the end."""
    file, draft = folder / ENDPOINT, folder / f"{ENDPOINT}.draft"
    draft.write_text(json.dumps(asdict(endpoint)))
    draft.replace(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
