"""The screen: data on the standard output; words and progress on the standard error, only at a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from longplay.documents import Batch, Job, Output

ERRORS = Console(stderr=True, highlight=False)


def tell(text: str) -> None:
    """A sentence for the person."""
    ERRORS.print(text, markup=False, soft_wrap=True)


def show(text: str) -> None:
    """A line of data."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def show_json(document: Any) -> None:
    """A document as one line of JSON, or indented at a terminal."""
    encoded = msgspec.json.encode(document)
    show((msgspec.json.format(encoded) if sys.stdout.isatty() else encoded).decode())


def table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """A table at a terminal; elsewhere the same cells with tabs between them."""
    if not sys.stdout.isatty():
        for row in rows:
            show("\t".join(row))
        return
    drawn = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        drawn.add_row(*row)
    Console(highlight=False).print(drawn)


@contextmanager
def waiting() -> Iterator[Any]:
    """A function that shows how a job stands."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=20), TimeElapsedColumn())
    with Progress(*columns, console=ERRORS, transient=True, disable=not ERRORS.is_terminal) as progress:
        task = progress.add_task("Sent", total=None)
        yield lambda job: progress.update(task, description=standing(job))


@contextmanager
def loading(output: Output) -> Iterator[Any]:
    """A function that shows how much of a file has arrived."""
    columns = (TextColumn("Fetching", markup=False), BarColumn(bar_width=20), DownloadColumn())
    with Progress(*columns, console=ERRORS, transient=True, disable=not ERRORS.is_terminal) as progress:
        task = progress.add_task("", total=output.bytes)
        yield lambda there: progress.update(task, completed=there)


def standing(job: Job | Batch) -> str:
    """How a job or a batch stands, in one line."""
    counts = f"{job.counts.get('succeeded', 0)} of {job.total} done, " if isinstance(job, Batch) else ""
    if job.wait is None:
        return f"{counts}{job.status}"
    place = f", number {job.wait.position} in line" if job.wait.position else ""
    return f"{counts}{job.status}: {job.wait.reason.replace('_', ' ')}{place}, about {span(job.wait.eta_seconds)}"


def span(seconds: float) -> str:
    """A length of time in words."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def cost(job: Job | Batch) -> str:
    """The cost in words."""
    if isinstance(job, Job) and job.cached:
        return "It cost nothing: an equal request had this result already."
    unknown = f", and up to ${job.cost.unknown_usd:g} more: the provider did not say" if job.cost.unknown_usd else ""
    charged = f"${job.cost.charged_usd:g} was charged" if job.cost.charged_usd or unknown else "Nothing was charged"
    return f"{charged}{unknown}."
