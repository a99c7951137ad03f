"""Items of jobs: read as they were written, by this version and by version 0.1, with unknown words as the nearest."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from longplay.domain.errors import Charged
from longplay.domain.job import Attempt, Job, JobError, Status, Wait, WaitReason
from longplay.storage.jobs import JobTable
from longplay.storage.queue import JobQueue, read_message
from longplay.storage.table import Table, from_item

from tests.domain.jobs import LEG, NOW, job
from tests.harness import version_0_1
from tests.harness.aws import TABLE, Aws

ATTEMPT = Attempt(route="endpoint", started_at=NOW, outcome="refused", charged=Charged.NO, kinds={"refused": 1})
FAILED = JobError(code="refused", message="401", retryable=True, charged=Charged.NO)
WAITING = job(wait=Wait(reason=WaitReason.BUDGET, until=NOW + 5, basis="."), attempts=(ATTEMPT,))
Words = dict[str, dict[str, Any]]


def _written(aws: Aws, written: Job) -> tuple[JobTable, dict[str, Any]]:
    jobs = JobTable(Table(aws.dynamodb, TABLE))
    jobs.create(written, now=NOW)
    return jobs, aws.dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": "job#a"}})["Item"]


@pytest.mark.parametrize("reason", WaitReason)
@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_a_job_that_waits_is_read_by_this_version_and_by_0_1(aws: Aws, reason: WaitReason, status: Status) -> None:
    """This version reads the exact reason. Version 0.1 reads one that it knows."""
    written = job(status=status, wait=Wait(reason=reason, until=NOW + 5, basis="."), attempts=(ATTEMPT,))
    jobs, item = _written(aws, written)
    assert jobs.find("a") == written
    assert isinstance(version_0_1.read(from_item(item)), version_0_1.Job)


@pytest.mark.parametrize("status", [Status.SUCCEEDED, Status.FAILED, Status.CANCELED])
def test_a_job_that_has_ended_is_read_by_this_version_and_by_0_1(aws: Aws, status: Status) -> None:
    """Its status and its error are the same for both."""
    written = job(status=status, error=FAILED, completed_at=NOW, due_at=None)
    jobs, item = _written(aws, written)
    older = version_0_1.read(from_item(item))
    assert jobs.find("a") == written
    assert isinstance(older, version_0_1.Job)
    assert older.status.value == status.value


@pytest.mark.parametrize(
    ("changed", "nearest"),
    [
        ({"wait": {"M": {"reason": {"S": "renovation"}, "until": {"N": "1"}, "basis": {"S": "."}}}}, "service_busy"),
        ({"wait.exact": {"S": "renovation"}}, "concurrency"),
        ({"attempts[0].charged": {"S": "half"}}, "unknown"),
        ({"attempts[0].outcome": {"S": "evaporated"}}, "evaporated"),
        ({"error": {"M": {**{name: {"S": "x"} for name in ("code", "message", "charged")}}}}, "x"),
        ({"status": {"S": "archived"}}, "running"),
        ({"status": {"S": "archived"}, "completed_at": {"N": "1"}}, "failed"),
        ({"request.kind": {"S": "speech"}}, "music"),
        ({"a_later_member": {"M": {}}}, "queued"),
    ],
    ids=str,
)
def test_an_unknown_word_of_a_later_version_is_read_as_the_nearest(
    aws: Aws, changed: dict[str, Any], nearest: str
) -> None:
    """So that a rollback to this version reads every job."""
    jobs, item = _written(aws, WAITING)
    for path, value in changed.items():
        _change(item, path, value)
    if "error" in changed:
        item["error"]["M"]["retryable"] = {"BOOL": True}
    aws.dynamodb.put_item(TableName=TABLE, Item=item)
    read = jobs.find("a")
    assert read is not None
    assert nearest in {
        read.status,
        read.wait.reason if read.wait else "",
        read.attempts[0].charged,
        read.attempts[0].outcome,
        read.error.code if read.error else "",
        read.request.kind if "request.kind" in changed else "",
    }


def test_an_item_that_is_no_job_is_refused(aws: Aws) -> None:
    """The sweeper knows this error: one broken item keeps it from no other job."""
    jobs, item = _written(aws, WAITING)
    for name in ("status", "request", "wait"):
        del item[name]
    aws.dynamodb.put_item(TableName=TABLE, Item=item)
    with pytest.raises(msgspec.ValidationError):
        jobs.find("a")


def test_a_job_for_an_unknown_queue_takes_the_queue_of_calls(aws: Aws) -> None:
    """A later version may have more queues."""
    urls = {"calls": aws.environment["CALLS_QUEUE_URL"], "steps": aws.environment["STEPS_QUEUE_URL"]}
    leg = type(LEG)(route="endpoint", account="*", price_usd=0.005, queue="batches")
    JobQueue(aws.sqs, urls).send(job(leg=leg), now=NOW)
    [message] = aws.sqs.receive_message(QueueUrl=urls["calls"])["Messages"]
    assert read_message(message["Body"]).job == "a"


def _change(item: dict[str, Any], path: str, value: dict[str, Any]) -> None:
    """Set a value in an item: `name`, `name.member` or `name[0].member`."""
    name, _, member = path.partition(".")
    if name.endswith("[0]"):
        item[name.removesuffix("[0]")]["L"][0]["M"][member] = value
    elif member:
        item[name]["M"][member] = value
    else:
        item[name] = value
