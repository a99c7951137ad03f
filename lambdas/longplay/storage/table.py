"""The one DynamoDB table: reads, and conditional writes that happen alone or together."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from longplay.domain.changes import Change
from longplay.domain.errors import LongplayError
from longplay.storage.patience import PASSING_REASONS, Conflict, Patience

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]
Verb: TypeAlias = Literal["Put", "Update", "Delete", "ConditionCheck"]
_PAGE = 1_000  # keys that a query reads at once

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def new_token() -> str:
    """The mark of one write. A refused repeat of that write is recognized by it."""
    return secrets.token_hex(8)


class WriteRefused(LongplayError):
    """Conditions did not hold. `items` has the item of each refused part by its name, None where there was none."""

    def __init__(self, items: Mapping[str, Item | None]) -> None:
        super().__init__(f"refused: {', '.join(items)}")
        self.items = items


@dataclass(frozen=True, kw_only=True)
class Part:
    """One conditional write. A refusal names it by `name`.

    A write of several parts leaves an `optional` part out after a conflict on it, such as a statistic that every job
    adds to.
    """

    name: str
    verb: Verb
    parameters: dict[str, Any]
    optional: bool = False


class Table:
    """Items by their key `pk`, with plain values in and out. Each method raises Unavailable."""

    def __init__(self, client: DynamoDBClient, name: str, patience: Patience | None = None) -> None:
        self._client = client
        self._name = name
        self._patience = patience or Patience()

    def get(self, key: str) -> Item | None:
        """The item as it stands now (a consistent read)."""
        answer = self._patience.repeat(
            lambda: self._client.get_item(TableName=self._name, Key=to_item({"pk": key}), ConsistentRead=True)
        )
        return from_item(answer["Item"]) if "Item" in answer else None

    def peek(self, key: str) -> Item | None:
        """The item; None also if AWS does not give it within a second. For facts that a job can do without."""
        return self._patience.convenience(lambda: self.get(key), otherwise=None)

    def get_all(self, keys: Sequence[str]) -> dict[str, Item]:
        """The items as they stand now, by their keys; at most 100 keys."""
        items: dict[str, Item] = {}
        left = [to_item({"pk": key}) for key in keys]
        while left:
            read, left = self._patience.repeat(partial(self._batch, left))
            items |= {item["pk"]: item for item in map(from_item, read)}
        return items

    def _batch(self, keys: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """The items that DynamoDB gives at once, and the keys of the others; raises Conflict if it gives none."""
        answer = self._client.batch_get_item(RequestItems={self._name: {"Keys": keys, "ConsistentRead": True}})
        left = answer["UnprocessedKeys"].get(self._name, {"Keys": []})["Keys"]
        if len(left) == len(keys):
            raise Conflict("BatchGetItem: no key was processed")
        return answer["Responses"].get(self._name, []), [*left]

    def query(
        self,
        index: str,
        condition: str,
        *,
        after: Item | None = None,
        newest_first: bool = False,
        page: int = _PAGE,
        **values: object,
    ) -> Iterator[Item]:
        """Keys from an index in its order, or against it. `page` keys are read at once, when they are needed.

        It begins behind the keys `after`.
        """
        how: dict[str, Any] = {
            "TableName": self._name,
            "IndexName": index,
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": _names(condition),
            "ExpressionAttributeValues": _values(condition, values),
            "ScanIndexForward": not newest_first,
            "Limit": page,
        }
        start: dict[str, Any] = {"ExclusiveStartKey": to_item(after)} if after else {}
        while True:
            found = self._patience.repeat(partial(self._client.query, **how, **start))
            yield from map(from_item, found["Items"])
            if "LastEvaluatedKey" not in found:
                return
            start = {"ExclusiveStartKey": found["LastEvaluatedKey"]}

    def put(self, name: str, item: Item, change: Change, **values: object) -> Part:
        """A part that puts a whole item."""
        condition = " AND ".join(change.conditions)
        return self._part(name, "Put", condition, condition, values, Item=to_item(item))

    def update(self, name: str, key: str, change: Change, *, index: int = 0, **values: object) -> Part:
        """A part that updates an item. `index` is the attempt that `[i]` stands for."""
        update, condition = (
            text.replace("[i]", f"[{index}]") for text in (change.update, " AND ".join(change.conditions))
        )
        return self._part(
            name,
            "Update",
            condition,
            f"{update} {condition}",
            values,
            Key=to_item({"pk": key}),
            UpdateExpression=update,
        )

    def delete(self, name: str, key: str, change: Change, **values: object) -> Part:
        """A part that deletes an item."""
        condition = " AND ".join(change.conditions)
        return self._part(name, "Delete", condition, condition, values, Key=to_item({"pk": key}))

    def check(self, name: str, key: str, change: Change, **values: object) -> Part:
        """A part that writes nothing: the others are written only if its conditions hold."""
        condition = " AND ".join(change.conditions)
        return self._part(name, "ConditionCheck", condition, condition, values, Key=to_item({"pk": key}))

    def write(self, *parts: Part) -> Item | None:
        """Write all parts or none. Returns the item after a single update, else None.

        Raises WriteRefused.
        """
        left = list(parts)

        def write() -> Item | None:
            try:
                return self._write(left)
            except Conflict as conflict:
                left[:] = [part for part in left if not (part.optional and part.name in conflict.items)]
                raise

        return self._patience.repeat(write)

    def _write(self, parts: Sequence[Part]) -> Item | None:
        try:
            if len(parts) == 1:
                return self._alone(parts[0])
            self._client.transact_write_items(TransactItems=[{part.verb: part.parameters} for part in parts])  # type: ignore[misc]
        except ClientError as error:
            raise _refusal(error, parts) from error
        return None

    def _alone(self, part: Part) -> Item | None:
        if part.verb == "Put":
            self._client.put_item(**part.parameters)
            return None
        if part.verb == "Delete":
            self._client.delete_item(**part.parameters)
            return None
        answer = self._client.update_item(**part.parameters, ReturnValues="ALL_NEW")
        return from_item(answer["Attributes"])

    def _part(
        self,
        name: str,
        verb: Verb,
        condition: str,
        text: str,
        values: Mapping[str, object],
        **parameters: Any,
    ) -> Part:
        known = {
            "TableName": self._name,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": _names(text),
            "ExpressionAttributeValues": _values(text, values),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        return Part(name=name, verb=verb, parameters={key: value for key, value in known.items() if value} | parameters)


def _refusal(error: ClientError, parts: Sequence[Part]) -> Exception:
    """The error in our terms: WriteRefused, a conflict, or the error itself."""
    answer: Mapping[str, Any] = error.response
    code = answer["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return WriteRefused({parts[0].name: _old(answer)})
    reasons = answer.get("CancellationReasons", [])
    by_part = [(part.name, reason) for part, reason in zip(parts, reasons, strict=False)]
    if refused := {name: _old(reason) for name, reason in by_part if reason["Code"] == "ConditionalCheckFailed"}:
        return WriteRefused(refused)
    in_the_way = frozenset(name for name, reason in by_part if reason["Code"] in PASSING_REASONS)
    return Conflict(code, in_the_way) if in_the_way else error


def _old(answer: Mapping[str, Any]) -> Item | None:
    return from_item(answer["Item"]) if answer.get("Item") else None


def _names(text: str) -> dict[str, str]:
    return {f"#{name}": name for name in re.findall(r"#(\w+)", text)}


def _values(text: str, values: Mapping[str, object]) -> Item:
    return to_item({f":{name}": values[name] for name in set(re.findall(r":(\w+)", text))})


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """Typed values for the client."""
    return {name: _serializer.serialize(_exact(value)) for name, value in values.items()}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values from the client's answer."""
    return {name: _plain(_deserializer.deserialize(value)) for name, value in item.items()}


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Mapping):
        return {key: _exact(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(inner) for inner in value]
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
