"""Guarantees about the table that hold between any two steps of any process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from longplay.domain.settings import Caps, Settings

from tests.harness.budgets import budgets_in

Item = dict[str, Any]
MILLION = 1_000_000


def broken(items: list[Item], settings: Settings, *, generations: int) -> list[str]:
    """Every guarantee that does not hold, in a sentence."""
    return [
        *_ledger(jobs_in(items), generations),
        *_budgets(items, settings),
        *_budget_sums(items),
        *_usage_sums(items),
    ]


def jobs_in(items: list[Item]) -> list[Item]:
    """The jobs among the items."""
    return [item for item in items if item["pk"].startswith("job#")]


def _ledger(jobs: list[Item], generations: int) -> Iterator[str]:
    yes, unknown = (_count(jobs, charge) for charge in ("yes", "unknown"))
    if not yes <= generations <= yes + unknown:
        yield f"the provider counts {generations}, the ledger {yes} to {yes + unknown}"
    for job in jobs:
        if _count([job], "yes") + _count([job], "unknown") > job["max_charges"]:
            yield f"{job['pk']} may have been charged more often than {job['max_charges']} times: {job['attempts']}"


def _count(jobs: list[Item], charge: str) -> int:
    return sum(attempt.get("charged", "unknown") == charge for job in jobs for attempt in job["attempts"])


def _budgets(items: list[Item], settings: Settings) -> Iterator[str]:
    for key, budget in budgets_in(items).items():
        caps = settings.deployment_caps if key.startswith("ALL#") else settings.owner_caps
        yield from (f"{key}: {name} is {budget[name]}" for name in _exceeded(budget, caps))


def _exceeded(item: Item, caps: Caps) -> Iterator[str]:
    most = {"used": None if caps.usd is None else caps.usd * MILLION, "jobs": caps.jobs, "waiting": caps.open_jobs}
    for name, cap in most.items():
        if item[name] < 0 or (cap is not None and item[name] > cap):
            yield name


def _budget_sums(items: list[Item]) -> Iterator[str]:
    """A budget is what its open jobs hold and what its ended ones have spent, to the millionth."""
    jobs = [job for job in jobs_in(items) if "budget_day" in job]
    for key, budget in budgets_in(items).items():
        owner, day = key.split("#")
        counted = [job for job in jobs if job["budget_day"] == day and owner in ("ALL", job["owner"])]
        open_jobs = [job for job in counted if job.get("hold") is not None]
        expected = sum(job["hold"] for job in open_jobs) + sum(_spent(job) for job in counted if job not in open_jobs)
        if (budget["used"], budget["waiting"], budget["jobs"]) != (expected, len(open_jobs), len(counted)):
            yield f"{budget}, but {len(counted)} jobs come to {expected} and {len(open_jobs)} of them are open"


def _usage_sums(items: list[Item]) -> Iterator[str]:
    """Usage has each job that is over once, with the amounts that the job says are counted of it."""
    counted = [job["counted"] for job in jobs_in(items) if job.get("counted") is not None]
    expected = (len(counted), sum(charged for charged, _ in counted), sum(unknown for _, unknown in counted))
    usage = [item for item in items if item["pk"].startswith("usage#")]
    found = tuple(sum(item[name] for item in usage) for name in ("jobs", "charged", "unknown"))
    if found != expected:
        yield f"usage is {found}, but the jobs' counts come to {expected}"
    for job in jobs_in(items):
        if job.get("counted") is not None and sum(job["counted"]) != _spent(job):
            yield f"{job['pk']} has cost {_spent(job)} and is counted with {job['counted']}"


def _spent(job: Item) -> int:
    charged = [attempt for attempt in job["attempts"] if attempt.get("charged", "unknown") != "no"]
    usd: float = sum(attempt.get("usd") or job["price_usd"] for attempt in charged)
    return round(usd * MILLION)
