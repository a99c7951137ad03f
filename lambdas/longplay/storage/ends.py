"""The parts written beside the end of a job: budgets settled, usage, cache entry, slot, duration, and what is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

import msgspec

from longplay.domain import changes
from longplay.domain.errors import Charged
from longplay.domain.hooks import Happening, Hook, new_hook, targets_of
from longplay.domain.job import Job
from longplay.domain.settings import DAY, MILLION
from longplay.domain.usage import MOST_DAYS, Usage
from longplay.storage.hooks import Hooks
from longplay.storage.limiter import Limiter
from longplay.storage.returned import give_back
from longplay.storage.table import Part, Table, new_token

ENTRY = "cache"
OWNER_BUDGET, DEPLOYMENT_BUDGET = "owner's budget", "deployment's budget"
_USAGE_SHARDS = 4  # items of a day and model, so that many ends a second do not meet at one
_USAGE_KEPT = (MOST_DAYS + 2) * DAY  # seconds
BUDGET_KEPT = 3 * DAY  # seconds a budget's items are kept: a job lives a day at most
PERIOD = 7 * DAY  # seconds; each week's durations are measured by themselves


class Ends:
    """Each method returns the parts for one of them; none where there is nothing to write."""

    def __init__(self, table: Table, limiter: Limiter, *, bus: bool = False) -> None:
        self._table = table
        self._limiter = limiter
        self._bus = bus
        self._hooks = Hooks(table)

    def settled(self, job: Job, *, now: float) -> list[Part]:
        """Give back what the job did not spend. A possible charge counts as spent.

        The amount and the budgets are those stored in the job, since the caps may have changed.
        """
        if job.hold is None:
            return []
        back = job.hold - round(job.usd(Charged.YES, Charged.UNKNOWN) * MILLION)
        # version 0.1 did not add a job to `held` and `ends`
        held, ends = (0, 0) if job.expected_at is None else (job.hold, job.expected_at)
        values = {"back": back, "one": 1, "held": held, "ends": ends, "expires_at": int(now) + BUDGET_KEPT}
        return [give_back(self._table, name, key, job.id, **values) for name, key in self._budgets(job)]

    def _budgets(self, job: Job) -> list[tuple[str, str]]:
        """The budgets that reserve its amount, with their keys. The first jobs of version 0.1 do not name them."""
        names = job.held_by or (OWNER_BUDGET, DEPLOYMENT_BUDGET)
        budgets = [(name, budget_key(name, job.owner, str(job.budget_day))) for name in names]
        return budgets if job.held_by else [(name, key) for name, key in budgets if self._counts_jobs(key)]

    def _counts_jobs(self, budget: str) -> bool:
        return bool((self._table.get(budget) or {}).get("waiting", 0) > 0)

    def cached(self, job: Job) -> list[Part]:
        """Offer the job's outputs to equal requests."""
        if job.cache_key is None:
            return []
        outputs: Any = msgspec.to_builtins(job.outputs)
        values = {"leader": job.id, "until": job.expires_at, "expires_at": job.expires_at, "outputs": outputs}
        return [self._table.update(ENTRY, job.cache_key, changes.CACHE_FILL, **values)]

    def counted(self, job: Job, usage: Usage, *, now: float) -> list[Part]:
        """Add usage of a job to its owner's, of this day and model."""
        if usage == Usage():
            return []
        midnight, model = int(now // DAY * DAY), job.request.model
        key = f"usage#{job.owner}#{midnight}#{model}#{crc32(job.id.encode()) % _USAGE_SHARDS}"
        values: dict[str, Any] = {
            "owner": f"usage#{job.owner}",  # so that the index of jobs by owner has them too, apart from the jobs
            "created_at": midnight,
            "model": model,
            "expires_at": midnight + _USAGE_KEPT,
            **msgspec.structs.asdict(usage),
        }
        return [self._table.update("usage", key, changes.COUNT, **values)]

    def hooks(self, job: Job, happening: Happening | None, *, now: float, resend_after: float) -> list[Hook]:
        """All that is to be told of the job to its webhook and to the event bus."""
        if happening is None or not (job.webhook or self._bus):
            return []
        how: dict[str, Any] = {"now": now, "resend_after": resend_after}
        targets = targets_of(job, bus=self._bus)
        return [new_hook(job, happening, target, token=new_token(), **how) for target in targets]

    def told(self, hooks: Sequence[Hook]) -> list[Part]:
        """Write them beside what has happened, so that none is lost."""
        return [*map(self._hooks.put, hooks)]

    def followers(self, job: Job) -> list[str]:
        """The jobs that wait for this one's result, as far as they are to be told of its end."""
        if job.cache_key is None or job.follows is not None:
            return []
        entry = self._table.peek(job.cache_key) or {}
        return list(entry.get("followers", [])) if entry.get("leader") == job.id else []

    def dropped(self, job: Job) -> list[Part]:
        """Remove the cache entry of a leader without a result."""
        if job.cache_key is None or job.follows is not None:
            return []
        return [self._table.delete(ENTRY, job.cache_key, changes.CACHE_DROP, leader=job.id)]

    def measured(self, job: Job, *, now: float) -> Part:
        """Count one more generation and its duration."""
        last = job.attempts[-1]
        milliseconds = round(((last.ended_at or 0) - last.started_at) * 1000)
        values = {"zero": 0, "one": 1, "milliseconds": milliseconds, "expires_at": int(now) + 2 * PERIOD}
        key = timing_key(job.request.model, job.leg.route, now)
        return replace(self._table.update("timing", key, changes.MEASURE, **values), optional=True)

    def slot(self, job: Job) -> list[Part]:
        """Give back the reserved slot."""
        if job.slot is None or not self._limiter.paces(job.leg.account):
            return []
        return self._limiter.give_back(job.leg.account, job.slot)


def budget_key(name: str, owner: str, day: str) -> str:
    """The item of a budget on a day (`YYYY-MM-DD`, UTC)."""
    return f"budget#{owner if name == OWNER_BUDGET else 'ALL'}#{day}"


def timing_key(model: str, route: str, now: float) -> str:
    """The item of a route's durations in the week of `now` (epoch seconds)."""
    return f"timing#{model}#{route}#{int(now // PERIOD)}"
