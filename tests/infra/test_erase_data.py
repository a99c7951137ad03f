"""The data that a destroyed stack leaves is deleted only if the operator confirms it, on an AWS emulator."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.operate import main
from infra.operator.erasure import Remains
from local.emulator.emulator import Emulator

BUCKET, TABLE = "left-files", "LeftJobs"
STACK = {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}
Type = Callable[[str], None]


@pytest.fixture
def left(aws: Emulator, tmp_path: Path) -> Iterator[Path]:
    """The file that names a bucket with three files and a protected table with one job."""
    _fill_bucket(aws.client("s3"))
    _fill_table(aws.client("dynamodb"))
    file = tmp_path / "left.json"
    file.write_text(json.dumps({"BucketName": BUCKET, "TableName": TABLE, "ApiUrl": "https://example.com/"}))
    yield file
    Remains(bucket=BUCKET, table=TABLE).erase(boto3.Session())


@pytest.fixture
def existing_stack(aws: Emulator) -> Iterator[None]:
    """A stack named as Longplay's, for the duration of a test."""
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="Longplay", TemplateBody=json.dumps(STACK))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="Longplay", WaiterConfig={"Delay": 0.1})
    yield
    cloudformation.delete_stack(StackName="Longplay")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="Longplay", WaiterConfig={"Delay": 0.1})


@pytest.fixture(autouse=True)
def type_(monkeypatch: pytest.MonkeyPatch) -> Type:
    """Types a line; before it is called, nothing is typed and standard input is no terminal."""

    def type_line(line: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(line))

    type_line("")
    return type_line


def test_typing_the_name_of_the_stack_deletes_the_bucket_and_the_protected_table(
    aws: Emulator, left: Path, type_: Type
) -> None:
    """The name confirms the deletion."""
    type_("Longplay\n")
    main(["erase-data", str(left)])
    assert _exist(aws) == (False, False)


@pytest.mark.parametrize("line", ["", "\n", "yes\n", "Longplay-local\n"])
def test_typing_anything_else_deletes_nothing(aws: Emulator, left: Path, type_: Type, line: str) -> None:
    """Neither "yes" nor the name of another stack confirms it."""
    type_(line)
    with pytest.raises(SystemExit, match="nothing is erased"):
        main(["erase-data", str(left)])
    assert _exist(aws) == (True, True)


def test_the_command_first_says_what_it_would_delete_and_how_much(
    left: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The operator sees it before confirming."""
    with pytest.raises(SystemExit):
        main(["erase-data", str(left)])
    said = capsys.readouterr().out
    assert f"the bucket {BUCKET} with 3 files" in said
    assert f"the table {TABLE} with about 1 items" in said


def test_a_script_may_confirm_with_an_option(aws: Emulator, left: Path) -> None:
    """`--yes` works where standard input is no terminal."""
    main(["erase-data", str(left), "--yes"])
    assert _exist(aws) == (False, False)


def test_a_person_at_a_terminal_is_asked_despite_the_option(
    aws: Emulator, left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--yes` is ignored there."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    with pytest.raises(SystemExit, match="nothing is erased"):
        main(["erase-data", str(left), "--yes"])
    assert _exist(aws) == (True, True)


def test_the_data_of_an_existing_stack_is_not_deleted(
    aws: Emulator, left: Path, existing_stack: None, type_: Type
) -> None:
    """The stack exists if its destruction was declined or failed."""
    type_("Longplay\n")
    with pytest.raises(SystemExit, match="the stack Longplay still exists"):
        main(["erase-data", str(left)])
    assert _exist(aws) == (True, True)


def test_a_bucket_that_was_versioned_later_is_deleted_with_all_versions(aws: Emulator, left: Path) -> None:
    """Delete markers are removed too."""
    s3 = aws.client("s3")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=BUCKET, Key="jobs/0/1/0", Body=b"again")
    s3.delete_object(Bucket=BUCKET, Key="jobs/1/1/0")
    main(["erase-data", str(left), "--yes"])
    assert _exist(aws) == (False, False)


def test_an_erasure_that_was_interrupted_can_be_repeated(aws: Emulator, left: Path) -> None:
    """The bucket was already deleted and the table had lost its protection."""
    _erase_bucket(aws)
    aws.client("dynamodb").update_table(TableName=TABLE, DeletionProtectionEnabled=False)
    main(["erase-data", str(left), "--yes"])
    assert _exist(aws) == (False, False)


@pytest.mark.parametrize("content", [None, "", "[]", '{"BucketName": "some"}'])
def test_a_file_without_the_names_of_bucket_and_table_is_refused(
    aws: Emulator, tmp_path: Path, content: str | None
) -> None:
    """It may be missing, empty or something else."""
    file = tmp_path / "other.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SystemExit, match="is not a result of `outputs`"):
        main(["erase-data", str(file), "--yes"])


def _fill_bucket(s3: Any) -> None:
    s3.create_bucket(Bucket=BUCKET)
    for job in range(3):
        s3.put_object(Bucket=BUCKET, Key=f"jobs/{job}/1/0", Body=b"file")


def _fill_table(dynamodb: Any) -> None:
    dynamodb.create_table(
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        DeletionProtectionEnabled=True,
    )
    dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": "job#some"}})


def _erase_bucket(aws: Emulator) -> None:
    s3 = aws.client("s3")
    for file in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        s3.delete_object(Bucket=BUCKET, Key=file["Key"])
    s3.delete_bucket(Bucket=BUCKET)


def _exist(aws: Emulator) -> tuple[bool, bool]:
    """Whether the bucket and the table exist."""
    buckets = [bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]]
    return BUCKET in buckets, TABLE in aws.client("dynamodb").list_tables()["TableNames"]
