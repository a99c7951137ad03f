"""At what rate of jobs each limit of AWS is met, computed from counted units and from AWS's published quotas.

The quotas are the defaults of an account (AWS's documents, read 2026-11); those marked * are raised on request.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from longplay.storage.jobs import SHARDS
from longplay.storage.returned import SHARDS as BUDGET_SHARDS

from benchmarks.tables import show
from benchmarks.units import CASES, POLLS, counted
from tests.harness.units import Units

JOBS = ("a job, connection held", "a job, paced", "a job, with caps")
RATES = (10, 100, 1_000)  # jobs a second
HELD = 20  # seconds of a call that keeps its connection
PARTITION = 1_000  # write units a second of one partition: one item, or one key of an index
TABLE, NEW_TABLE = 40_000, 4_000  # write units a second, on demand: the quota of a table*, and what a new one can take
FUNCTIONS = 1_000  # of an account, at once*
REQUESTS = 10_000  # a second, of API Gateway in a region*
PUTS = 3_500  # a second, of S3 for one prefix


@dataclass(frozen=True)
class Limit:
    """How much there is a second, and how much of it a job takes."""

    name: str
    allowed: float
    of_a_job: float

    @property
    def rate(self) -> float:
        """The jobs a second at which it is met."""
        return self.allowed / self.of_a_job


def main() -> None:
    """Print the table."""
    plain, paced, capped = (counted(CASES[name])[0] for name in JOBS)
    rows = [_row(limit) for limit in sorted(_limits(plain, paced, capped), key=lambda limit: limit.rate)]
    heads = ("limit", "a second", "of a job", "met at jobs a second", *(f"at {rate:,}" for rate in RATES))
    show("Limits of AWS, the first to be met first", heads, rows, *NOTES)


NOTES = (
    f"Of a job: one submit, {POLLS} polls by its caller, one call that keeps its connection for {HELD} s.",
    "A paced account's starts are limited by its provider first. Transactions on one item also conflict, and are",
    "repeated; how many a second AWS really takes was not measured here.",
)


def _limits(plain: Units, paced: Units, capped: Units) -> Iterator[Limit]:
    budget, returned = capped.written["budget"] / 2, capped.written["returned"] / 2  # the owner's, and that of all
    yield Limit("functions at once *", FUNCTIONS, HELD)
    yield Limit("a cap, at submits: one item", PARTITION, budget)
    yield Limit(f"a cap, at ends: {BUDGET_SHARDS} items", BUDGET_SHARDS * PARTITION, returned)
    yield Limit("a paced account: one item", PARTITION, paced.written["limit"])
    yield Limit("jobs of one owner: one key of the list", PARTITION, plain.index["mine"])
    yield Limit(f"open jobs: {SHARDS} keys of the index", SHARDS * PARTITION, plain.index["open"])
    yield Limit("a new table", NEW_TABLE, plain.written.total() + plain.index.total())
    yield Limit("the table's quota *", TABLE, plain.written.total() + plain.index.total())
    yield Limit("requests to API Gateway *", REQUESTS, 1 + POLLS)
    yield Limit("files into S3", PUTS, plain.requests["PutObject"])


def _row(limit: Limit) -> tuple[str, ...]:
    loads = (f"{rate / limit.rate:.0%}" for rate in RATES)
    return (limit.name, f"{limit.allowed:,}", f"{limit.of_a_job:g}", f"{limit.rate:,.0f}", *loads)


if __name__ == "__main__":
    main()
