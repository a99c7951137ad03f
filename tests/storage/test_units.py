"""The counts of AWS's units that `make bench` makes."""

from __future__ import annotations

import boto3
import pytest

from tests.harness.aws import TABLE, Aws
from tests.harness.units import counted_units

KEY = {"pk": {"S": "job#1"}}
LARGE = {"text": {"S": "x" * 1_500}}
OPEN = {"open": {"S": "open#1"}, "due_at": {"N": "1"}}


def test_a_write_counts_by_the_larger_of_old_and_new_item(aws: Aws) -> None:
    """A KB and a half is two units, also where it is replaced by less."""
    with counted_units(aws.dynamodb, TABLE) as units:
        client = boto3.client("dynamodb")
        client.put_item(TableName=TABLE, Item={**KEY, **LARGE})
        client.put_item(TableName=TABLE, Item=KEY)
    assert (units.written, units.index.total(), units.requests) == ({"job": 4}, 0, {"PutItem": 2})


def test_a_transaction_counts_twice_and_an_index_by_its_entries(aws: Aws) -> None:
    """An entry that is added or removed is one unit, one that moves is two."""
    moved = {**OPEN, "due_at": {"N": "2"}}
    with counted_units(aws.dynamodb, TABLE) as units:
        client = boto3.client("dynamodb")
        client.transact_write_items(TransactItems=[{"Put": {"TableName": TABLE, "Item": {**KEY, **OPEN}}}])
        assert (units.written, units.index["open"]) == ({"job": 2}, 1)
        client.put_item(TableName=TABLE, Item={**KEY, **moved})
        client.delete_item(TableName=TABLE, Key=KEY)
    assert (units.written, units.index["open"]) == ({"job": 4}, 1 + 2 + 1)


def test_a_refused_write_counts_and_a_read_counts_by_four_kilobytes(aws: Aws) -> None:
    """A condition that does not hold costs as much as one that does."""
    with counted_units(aws.dynamodb, TABLE) as units:
        client = boto3.client("dynamodb")
        client.put_item(TableName=TABLE, Item={**KEY, "text": {"S": "x" * 5_000}})
        units.clear()
        with pytest.raises(client.exceptions.ConditionalCheckFailedException):
            client.put_item(TableName=TABLE, Item=KEY, ConditionExpression="attribute_not_exists(pk)")
        client.get_item(TableName=TABLE, Key=KEY, ConsistentRead=True)
    assert (units.written, units.read, units.stored) == ({"job": 5}, 2, 0)
