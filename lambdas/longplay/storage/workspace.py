"""A folder in the function's temporary storage for the files of one call, until they are in the bucket."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from longplay.domain.errors import LongplayError

_PREFIX, _FILES, _LOCK = "longplay-call-", "files", "lock"


class NoRoom(LongplayError):
    """The function's temporary storage is too full for the files of a call."""

    def __init__(self, *, free: int, needed: int) -> None:
        super().__init__(
            f"The function's temporary storage has {free / 1e6:,.0f} MB free, and a call needs {needed / 1e6:,.0f} MB."
        )


@contextmanager
def workspace(*, room: int) -> Iterator[Path]:
    """A new folder with at least `room` free bytes; it is deleted at the end of the block. Raises NoRoom.

    A worker that was killed leaves its folder in the warm function (AWS Lambda, "Execution environment lifecycle",
    2026-11: `/tmp` stays). Such folders are deleted first.
    """
    _delete_leftovers()
    folder, lock = _locked_folder()
    try:
        free = shutil.disk_usage(folder).free
        if free < room:
            raise NoRoom(free=free, needed=room)
        yield folder / _FILES
    finally:
        _delete(folder)
        lock.close()


def _locked_folder() -> tuple[Path, BinaryIO]:
    """A new folder, and the lock that shows other processes that this one lives. The kernel frees it with the process.

    Before it is locked, another process can take it for a leftover.
    """
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        (folder / _FILES).mkdir()
        lock = (folder / _LOCK).open("wb")
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        lock.close()


def _delete_leftovers() -> None:
    """Delete the folders of processes that have died. In Lambda all of them have; a local run has several workers."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError), (folder / _LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # fails while the process lives
            _delete(folder)


def _delete(folder: Path) -> None:
    """The lock goes last: without it, the folder of a process that dies here would never be deleted."""
    for found in (folder / _FILES, folder):
        shutil.rmtree(found, ignore_errors=True)
