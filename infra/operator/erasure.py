"""Erases the data that a destroyed stack leaves behind: the bucket of files and the table of jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
from botocore.exceptions import ClientError

#: The error codes of S3 and DynamoDB for a missing bucket or table.
MISSING = ("NoSuchBucket", "ResourceNotFoundException")


@dataclass(frozen=True, kw_only=True)
class Remains:
    """The names of the bucket and table that a stack left. A missing one counts as empty and is skipped."""

    bucket: str
    table: str

    def described(self, session: boto3.Session) -> str:
        """The data that `erase` would delete: the number of files, counting each version, and of the table's items.

        DynamoDB updates its count of items about every six hours.
        """
        return (
            f"the bucket {self.bucket} with {_files(session, self.bucket)} files\n"
            f"the table {self.table} with about {_items(session, self.table)} items"
        )

    def erase(self, session: boto3.Session) -> None:
        """Empties and deletes the bucket, and deletes the table despite its protection; returns once both are gone."""
        with _ignoring_missing():
            _erase_bucket(session, self.bucket)
        with _ignoring_missing():
            _erase_table(session, self.table)


def _files(session: boto3.Session, name: str) -> int:
    with _ignoring_missing():
        return sum(1 for _ in session.resource("s3").Bucket(name).object_versions.all())
    return 0


def _items(session: boto3.Session, name: str) -> int:
    with _ignoring_missing():
        return session.client("dynamodb").describe_table(TableName=name)["Table"]["ItemCount"]
    return 0


def _erase_bucket(session: boto3.Session, name: str) -> None:
    bucket = session.resource("s3").Bucket(name)
    # without versioning, each file counts as its only version
    bucket.object_versions.delete()
    bucket.delete()
    bucket.wait_until_not_exists()


def _erase_table(session: boto3.Session, name: str) -> None:
    dynamodb = session.client("dynamodb")
    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    dynamodb.get_waiter("table_exists").wait(TableName=name)  # waits until the update is done
    dynamodb.delete_table(TableName=name)
    dynamodb.get_waiter("table_not_exists").wait(TableName=name)


@contextmanager
def _ignoring_missing() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in MISSING:
            raise
