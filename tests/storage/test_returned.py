"""The amounts given back to a budget: an end touches no item that all ends share, and each amount is counted once."""

from __future__ import annotations

from collections.abc import Callable

import boto3
import pytest
from longplay.storage.returned import SHARDS, collected, give_back
from longplay.storage.table import Table

from tests.harness.aws import TABLE, Aws
from tests.harness.aws_faults import in_between
from tests.harness.budgets import budgets_of

KEY = "budget#ALL#2026-03-04"
DOLLAR = 1_000_000
NAMES = ("used", "held", "waiting", "jobs", "ends")


def _end(table: Table, job: str) -> None:
    """The end of a job that reserved two dollars and spent one."""
    values = {"back": DOLLAR, "one": 1, "held": 2 * DOLLAR, "ends": 100, "expires_at": 200}
    table.write(give_back(table, "budget", KEY, job, **values))


def _budget(aws: Aws, *, jobs: int) -> Table:
    """A budget with so many open jobs that reserve two dollars each."""
    amounts = {"used": 2 * DOLLAR * jobs, "held": 2 * DOLLAR * jobs, "waiting": jobs, "jobs": jobs, "ends": 100 * jobs}
    item = {name: {"N": str(amount)} for name, amount in amounts.items()}
    aws.dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": KEY}, **item})
    return Table(boto3.client("dynamodb"), TABLE)


def _counted(table: Table) -> tuple[int, ...]:
    budget = collected(table, KEY) or {}
    return tuple(budget[name] for name in NAMES)


def test_ends_write_to_their_shards_and_leave_the_budget_alone(aws: Aws) -> None:
    """Of a hundred jobs each of the eight items has some, and the budget's own item has the version before."""
    table = _budget(aws, jobs=100)
    before = table.get(KEY)
    for job in range(100):
        _end(table, str(job))
    assert table.get(KEY) == before
    assert aws.dynamodb.scan(TableName=TABLE)["Count"] == 1 + SHARDS
    assert _counted(table) == (100 * DOLLAR, 0, 0, 100, 0)
    assert table.get(KEY) == collected(table, KEY)


ENDED, COLLECTED = (lambda table: _end(table, "a")), (lambda table: collected(table, KEY))


@pytest.mark.parametrize(
    ("other", "ends"), [pytest.param(ENDED, 2, id="end"), pytest.param(COLLECTED, 1, id="collect")]
)
def test_what_comes_between_its_read_and_its_write_is_counted_once(
    aws: Aws, other: Callable[[Table], object], ends: int
) -> None:
    """Another job of the same shard ends, or another function collects too: the amounts are those of the jobs."""
    table, client = _budget(aws, jobs=2), boto3.client("dynamodb")
    _end(table, "a")
    with in_between(client, "TransactWriteItems", lambda: other(table)):
        collected(Table(client, TABLE), KEY)
    left = 2 - ends
    expected = (DOLLAR * (ends + 2 * left), 2 * DOLLAR * left, left, 2, 100 * left)
    [whole] = budgets_of(aws.dynamodb).values()
    assert tuple(whole[name] for name in NAMES) == expected
    assert _counted(table) == expected


def test_without_a_job_there_is_nothing_to_collect(aws: Aws) -> None:
    """Not even a write."""
    assert collected(Table(boto3.client("dynamodb"), TABLE), KEY) is None
    assert aws.dynamodb.scan(TableName=TABLE)["Count"] == 0
