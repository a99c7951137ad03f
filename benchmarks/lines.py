"""Longplay's own limiter over a table in memory: an emulator would take minutes over a burst of 10,000."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError
from longplay.domain.pacing import Limit, Window
from longplay.storage.limiter import LINE, Limiter, Reservation
from longplay.storage.table import Table, WriteRefused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ACCOUNT = "router"
TypedItem = Mapping[str, Any]

CONDITIONS: Mapping[str, Callable[[TypedItem | None, TypedItem], bool]] = {
    "attribute_not_exists(#pk)": lambda old, _: old is None,
    "#version = :seen": lambda old, values: old is not None and old["version"] == values[":seen"],
}


class Lines:
    """One limiter for each of `containers`, over one table; `client` counts what they ask of it."""

    def __init__(self, windows: Sequence[Window], *, containers: int = 1, tolerance: float = 0.0) -> None:
        self.client = LineInMemory()
        self._table = Table(cast("DynamoDBClient", self.client), "jobs")
        limits = {ACCOUNT: Limit(windows=tuple(windows))}
        self.limiters = [Limiter(self._table, limits, tolerance=tolerance) for _ in range(containers)]

    def take_slot(self, limiter: Limiter, *, now: float) -> float:
        """The slot of one more job. At a submission the same part rides the transaction that creates the job."""
        while not self.holds(limiter, reservation := limiter.reserve(ACCOUNT, now=now)):
            pass
        return reservation.slot

    def holds(self, limiter: Limiter, reservation: Reservation) -> bool:
        """Whether the reservation's write held; if not, the limiter has learned why."""
        try:
            self._table.write(reservation.part)
        except WriteRefused as refused:
            limiter.learn(ACCOUNT, refused.items[LINE])
            return False
        limiter.took(reservation)
        return True


class LineInMemory:
    """Stands where boto3's client does, under the real `Table`."""

    def __init__(self) -> None:
        self.reads = 0
        self.writes = 0
        self.refused = 0
        self.items: dict[str, TypedItem] = {}

    def get_item(self, *, Key: TypedItem, **_: object) -> dict[str, Any]:  # noqa: N803 - AWS's spelling
        """The item, when there is one."""
        self.reads += 1
        item = self.items.get(Key["pk"]["S"])
        return {"Item": item} if item else {}

    def put_item(self, **parameters: Any) -> None:
        """Put the item if its condition holds; raises ClientError, with the item there is, when it does not."""
        self.writes += 1
        item, values = parameters["Item"], parameters.get("ExpressionAttributeValues", {})
        old = self.items.get(item["pk"]["S"])
        if not CONDITIONS[parameters["ConditionExpression"]](old, values):
            self.refused += 1
            raise _refusal(old)
        self.items[item["pk"]["S"]] = item


def _refusal(old: TypedItem | None) -> ClientError:
    answer: Any = {"Error": {"Code": "ConditionalCheckFailedException"}, "Item": old}
    return ClientError(answer, "PutItem")
