"""Erases what a destroyed stack leaves behind: the bucket with its files and the table with its jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
from botocore.exceptions import ClientError

#: How S3 and DynamoDB say that there is no such bucket or table.
GONE = ("NoSuchBucket", "ResourceNotFoundException")


@dataclass(frozen=True, kw_only=True)
class Remains:
    """What is left of a stack, by name. What is gone already counts as empty and is not erased again."""

    bucket: str
    table: str

    def described(self, session: boto3.Session) -> str:
        """What erasing would delete, counted: every file and version of one, and the table's items by its own tally.

        DynamoDB renews that tally about every six hours.
        """
        return (
            f"the bucket {self.bucket} with {_files(session, self.bucket)} files\n"
            f"the table {self.table} with about {_items(session, self.table)} items"
        )

    def erase(self, session: boto3.Session) -> None:
        """Empties and deletes the bucket, and deletes the table for all its protection; waits until both are gone."""
        with _unless_gone():
            _erase_bucket(session, self.bucket)
        with _unless_gone():
            _erase_table(session, self.table)


def _files(session: boto3.Session, name: str) -> int:
    with _unless_gone():
        return sum(1 for _ in session.resource("s3").Bucket(name).object_versions.all())
    return 0


def _items(session: boto3.Session, name: str) -> int:
    with _unless_gone():
        return session.client("dynamodb").describe_table(TableName=name)["Table"]["ItemCount"]
    return 0


def _erase_bucket(session: boto3.Session, name: str) -> None:
    bucket = session.resource("s3").Bucket(name)
    # in a bucket that was never versioned each file is the one version of itself
    bucket.object_versions.delete()
    bucket.delete()
    bucket.wait_until_not_exists()


def _erase_table(session: boto3.Session, name: str) -> None:
    dynamodb = session.client("dynamodb")
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    dynamodb.get_waiter("table_exists").wait(TableName=name)  # that is, until it is not being updated
    dynamodb.delete_table(TableName=name)
    dynamodb.get_waiter("table_not_exists").wait(TableName=name)


@contextmanager
def _unless_gone() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in GONE:
            raise
