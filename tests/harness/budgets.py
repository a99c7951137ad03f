"""Budgets as they stand: each item, less what ended jobs have given back beside it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from longplay.storage.table import from_item

from tests.harness.aws import TABLE

Item = dict[str, Any]
_AMOUNTS = ("used", "waiting", "held", "ends")


def budgets_in(items: Iterable[Item]) -> dict[str, Item]:
    """The budgets among plain items, by `owner#day`; `ALL` is the owner of the deployment's."""
    kinds = [(item["pk"].split("#"), item) for item in items]
    budgets = {f"{of[1]}#{of[2]}": dict(item) for of, item in kinds if of[0] == "budget"}
    for of, item in kinds:
        if of[0] == "returned":
            budget = budgets[f"{of[1]}#{of[2]}"]
            budget.update({name: budget.get(name, 0) - item[name] for name in _AMOUNTS})
    return budgets


def budgets_of(dynamodb: Any) -> dict[str, Item]:
    """The budgets in the table, in the same form."""
    return budgets_in(from_item(item) for item in dynamodb.scan(TableName=TABLE)["Items"])
