"""The files of a call get a folder with enough room; what a killed worker left in temporary storage is deleted."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from longplay.storage.workspace import NoRoom, workspace

HOLD = """
from longplay.storage.workspace import workspace
with workspace(room=0) as folder:
    (folder / "answer").write_bytes(b"answer")
    print(folder, flush=True)
    input()
"""


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary storage of the function."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def _worker() -> tuple[subprocess.Popen[str], Path]:
    """Another worker in the middle of a call, and its folder."""
    worker = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env={"PYTHONPATH": ":".join(sys.path), "TMPDIR": tempfile.gettempdir()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout
    return worker, Path(worker.stdout.readline().strip())


def test_the_folder_of_a_killed_worker_is_deleted_and_that_of_a_live_one_stays(storage: Path) -> None:
    """A local run has several workers with one temporary storage."""
    worker, folder = _worker()
    with workspace(room=0):
        assert (folder / "answer").read_bytes() == b"answer"
    worker.kill()
    worker.communicate()
    assert folder.exists()
    with workspace(room=0):
        assert not folder.exists()


def test_other_files_are_not_touched_and_a_folder_ends_with_its_call(storage: Path) -> None:
    """Only folders of calls are leftovers."""
    (storage / "other").mkdir()
    with workspace(room=0) as folder:
        (folder / "answer").write_bytes(b"answer")
    assert [path.name for path in storage.iterdir()] == ["other"]


def test_too_little_room_is_refused_with_both_figures(storage: Path) -> None:
    """And leaves no folder."""
    with pytest.raises(NoRoom, match=r"MB free, and a call needs 1,000,000,000,000 MB"), workspace(room=10**18):
        pass
    assert list(storage.iterdir()) == []
