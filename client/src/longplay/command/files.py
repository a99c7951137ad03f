"""Where files go: into a folder, under a name, or to the standard output."""

from __future__ import annotations

import sys
from pathlib import Path

from longplay.client import Longplay
from longplay.command import screen
from longplay.documents import Job

STDOUT = "-"


def deliver(longplay: Longplay, job: Job, output: str | None, *, quiet: bool = False) -> list[Path]:
    """Saves the files of a job and prints their paths; with `-`, writes them to the standard output."""
    if output == STDOUT:
        _pipe(longplay, job)
        return []
    saved = []
    for n, each in enumerate(job.outputs):
        with screen.loading(each) as progress:
            saved.append(longplay.download(each, target_of(job, n, output), on_bytes=progress))
    for path in [] if quiet else saved:
        screen.show(str(path))
    return saved


def target_of(job: Job, n: int, output: str | None) -> Path:
    """The path of the n-th file: in the folder that is named, or under the name, or here."""
    name = f"{job.kind}-{job.id[:8]}{f'-{n}' if n else ''}.{job.outputs[n].extension}"
    if output is None:
        return Path(name)
    given = Path(output)
    if given.is_dir() or output.endswith("/"):
        given.mkdir(parents=True, exist_ok=True)
        return given / name
    return given.with_name(f"{given.stem}-{n}{given.suffix}") if n else given


def _pipe(longplay: Longplay, job: Job) -> None:
    for output in job.outputs:
        for piece in longplay.pieces(output):
            sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
