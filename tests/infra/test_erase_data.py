"""What a destroyed stack has left is erased on purpose alone: tried on an AWS emulator."""

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
def standing(aws: Emulator) -> Iterator[None]:
    """A stack of Longplay's name, for the length of a test."""
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(StackName="Longplay", TemplateBody=json.dumps(STACK))
    cloudformation.get_waiter("stack_create_complete").wait(StackName="Longplay", WaiterConfig={"Delay": 0.1})
    yield
    cloudformation.delete_stack(StackName="Longplay")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="Longplay", WaiterConfig={"Delay": 0.1})


@pytest.fixture(autouse=True)
def type_(monkeypatch: pytest.MonkeyPatch) -> Type:
    """Types a line; until it is called nothing is typed, and nobody sits at the terminal."""

    def type_line(line: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(line))

    type_line("")
    return type_line


def test_who_types_the_stacks_name_has_bucket_and_protected_table_deleted(
    aws: Emulator, left: Path, type_: Type
) -> None:
    type_("Longplay\n")
    main(["erase-data", str(left)])
    assert _there(aws) == (False, False)


@pytest.mark.parametrize("line", ["", "\n", "yes\n", "Longplay-local\n"])
def test_who_types_anything_else_keeps_it_all(aws: Emulator, left: Path, type_: Type, line: str) -> None:
    type_(line)
    with pytest.raises(SystemExit, match="nothing is erased"):
        main(["erase-data", str(left)])
    assert _there(aws) == (True, True)


def test_it_says_first_what_would_go_and_how_much_of_it(left: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["erase-data", str(left)])
    said = capsys.readouterr().out
    assert f"the bucket {BUCKET} with 3 files" in said
    assert f"the table {TABLE} with about 1 items" in said


def test_a_script_need_not_be_asked(aws: Emulator, left: Path) -> None:
    main(["erase-data", str(left), "--yes"])
    assert _there(aws) == (False, False)


def test_a_person_is_asked_even_so(aws: Emulator, left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    with pytest.raises(SystemExit, match="nothing is erased"):
        main(["erase-data", str(left), "--yes"])
    assert _there(aws) == (True, True)


def test_a_standing_stack_keeps_its_data(aws: Emulator, left: Path, standing: None, type_: Type) -> None:
    """As when its destruction was declined or failed."""
    type_("Longplay\n")
    with pytest.raises(SystemExit, match="the stack Longplay still stands"):
        main(["erase-data", str(left)])
    assert _there(aws) == (True, True)


def test_files_of_a_bucket_that_was_versioned_meanwhile_go_with_their_versions(aws: Emulator, left: Path) -> None:
    s3 = aws.client("s3")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=BUCKET, Key="jobs/0/1/0", Body=b"anew")
    s3.delete_object(Bucket=BUCKET, Key="jobs/1/1/0")
    main(["erase-data", str(left), "--yes"])
    assert _there(aws) == (False, False)


def test_what_broke_off_is_taken_up_again(aws: Emulator, left: Path) -> None:
    """The bucket had gone and the table had lost its protection."""
    _erase_bucket(aws)
    aws.client("dynamodb").update_table(TableName=TABLE, DeletionProtectionEnabled=False)
    main(["erase-data", str(left), "--yes"])
    assert _there(aws) == (False, False)


@pytest.mark.parametrize("content", [None, "", "[]", '{"BucketName": "some"}'])
def test_a_file_without_the_names_is_refused(aws: Emulator, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "other.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SystemExit, match="is not what `outputs` showed"):
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


def _there(aws: Emulator) -> tuple[bool, bool]:
    """Whether the bucket and the table are."""
    buckets = [bucket["Name"] for bucket in aws.client("s3").list_buckets()["Buckets"]]
    return BUCKET in buckets, TABLE in aws.client("dynamodb").list_tables()["TableNames"]
