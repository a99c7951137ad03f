"""The use case of a caller that lists its jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from longplay.domain.job import Job
from longplay.domain.listing import MOST_LISTED, Position, Wanted
from longplay.storage.jobs import JobTable

MOST_READ = 1_000  # jobs that one request looks through for those that its filters include


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some of an owner's jobs, newest first.

    `last` is where the next page begins, None if there is none. `leaders` are the jobs whose results they wait for.
    """

    jobs: tuple[Job, ...]
    leaders: Mapping[str, Job]
    last: Position | None


@dataclass(frozen=True, kw_only=True)
class Listing:
    """An owner's jobs. `clock` gives epoch seconds."""

    jobs: JobTable
    clock: Callable[[], float] = time.time

    def page(self, owner: str, wanted: Wanted) -> Page:
        """The newest jobs that are wanted: fewer than `limit` if they are rare among the others."""
        jobs, last = self._found(owner, wanted)
        leaders = self.jobs.find_all(sorted({job.follows for job in jobs if job.follows}))
        return Page(jobs=(*jobs,), leaders=leaders, last=last)

    def _found(self, owner: str, wanted: Wanted) -> tuple[list[Job], Position | None]:
        found: list[Job] = []
        last = wanted.after
        for seen, (position, job) in enumerate(self._all(owner, wanted), start=1):
            if job and wanted.includes(job):
                if len(found) == wanted.limit:
                    return found, last
                found.append(job)
            last = position
            if seen == MOST_READ:
                return found, last
        return found, None

    def _all(self, owner: str, wanted: Wanted) -> Iterator[tuple[Position, Job | None]]:
        """Each job in the order of the list; None for one that has expired or was deleted."""
        size = MOST_LISTED if wanted.selective else wanted.limit + 1
        places = self.jobs.of_owner(
            owner, since=wanted.created_after, until=wanted.created_before, after=wanted.after, page=size
        )
        while some := [*islice(places, min(size, MOST_LISTED))]:
            jobs = self.jobs.find_all([place.job for place in some])
            yield from ((place, self._shown(jobs.get(place.job), wanted)) for place in some)

    def _shown(self, job: Job | None, wanted: Wanted) -> Job | None:
        kept = job is not None and job.expires_at > self.clock() and job.deleted is None
        return job if kept and job and job.created_at < wanted.created_before else None
