"""The job table: the only place where jobs are read and written. Every write is one conditional change."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from longplay import changes
from longplay.changes import Change
from longplay.errors import LongplayError
from longplay.items import from_item, to_item
from longplay.job import Attempt, Job, JobError, Output, Status

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_STATUSES = {status.value: status.value for status in Status}


def new_token() -> str:
    """A write's own mark: a refused repeat of it recognises itself by this."""
    return secrets.token_hex(8)


class Refused(LongplayError):
    """A write's condition did not hold; `job` is what stood there, None where there was nothing."""

    def __init__(self, job: Job | None) -> None:
        super().__init__("the job is not in the state this change needs")
        self.job = job


@dataclass(frozen=True)
class DueJob:
    """An open job whose time has come, as the index names it."""

    id: str
    due_at: float


class JobTable:
    """Jobs in DynamoDB. Every method that changes one raises Refused when the job has moved on meanwhile."""

    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def create(self, job: Job, *, now: float) -> Job:
        """Put a new job, or one in the place of an expired one; Refused holds the one that is there."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=_item(job),
                ConditionExpression="attribute_not_exists(pk) OR expires_at <= :now",
                ExpressionAttributeValues=to_item({":now": now}),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            return _own_success(error, job.token)
        return job

    def find(self, job_id: str) -> Job | None:
        """The job as it stands now (a consistent read)."""
        answer = self._client.get_item(TableName=self._table, Key=_key(job_id), ConsistentRead=True)
        return _job(answer["Item"]) if "Item" in answer else None

    def claim(self, job_id: str, *, route: str, now: float, lease: float) -> Job:
        """Take a queued job and enter the attempt that is about to be made."""
        opened = Attempt(route=route, started_at=now)
        return self._change(changes.CLAIM, job_id, route=route, now=now, lease=lease, one=1, attempts=_plain([opened]))

    def take_over(self, job: Job, closed: Attempt, *, now: float, lease: float) -> Job:
        """Take a job whose worker crashed; `closed` is the crashed attempt as the ledger shall show it."""
        opened = Attempt(route=job.route, started_at=now)
        attempts = _plain([*job.attempts[:-1], closed, opened])
        return self._change(changes.TAKE_OVER, job.id, fence=job.fence, now=now, lease=lease, one=1, attempts=attempts)

    def release(self, job: Job, *, due_at: float) -> Job:
        """Put a claimed job back into the line, as `job` now has its route, slot, wait and ledger."""
        return self._change(
            changes.RELEASE,
            job.id,
            fence=job.fence,
            route=job.route,
            price_usd=job.price_usd,
            not_before=job.not_before,
            due_at=due_at,
            wait=_plain(job.wait),
            charges=job.charges,
            attempts=_plain(job.attempts),
        )

    def succeed(self, job: Job, outputs: Iterable[Output], attempt: Attempt, *, now: float) -> Job:
        """End a job with its result; the fence is not asked, because the first whole result wins."""
        return self._end(changes.SUCCEED, job, attempt, outputs=_plain(tuple(outputs)), now=now)

    def fail(self, job: Job, error: JobError, attempt: Attempt, *, now: float) -> Job:
        """End a job that its worker could not bring to a result."""
        return self._end(changes.FAIL, job, attempt, fence=job.fence, error=_plain(error), now=now)

    def fail_crashed(self, job: Job, error: JobError, attempt: Attempt, *, now: float) -> Job:
        """End a job whose worker is gone and that may not be tried again."""
        return self._end(changes.FAIL_CRASHED, job, attempt, fence=job.fence, error=_plain(error), now=now, one=1)

    def fail_overdue(self, job: Job, error: JobError, *, now: float) -> Job:
        """End a job that nobody holds and whose deadline has passed."""
        return self._change(changes.FAIL_OVERDUE, job.id, error=_plain(error), now=now)

    def cancel(self, job: Job, *, now: float) -> Job:
        """Cancel a job, whether it waits or a worker is at it."""
        try:
            return self._change(changes.CANCEL_WAITING, job.id, now=now)
        except Refused as refused:
            if refused.job is None or refused.job.status.finished:
                raise
        return self._change(changes.CANCEL_RUNNING, job.id, now=now)

    def keep_late_result(self, job: Job, outputs: Iterable[Output], attempt: Attempt) -> Job:
        """Keep, list and charge a result that came after the job had ended otherwise."""
        return self._end(changes.KEEP_LATE_RESULT, job, attempt, outputs=_plain(tuple(outputs)))

    def close(self, job: Job, attempt: Attempt) -> Job:
        """Let go of a job that ended while this worker was at it."""
        return self._end(changes.CLOSE, job, attempt, fence=job.fence)

    def due(self, now: float, *, limit: int) -> Iterator[DueJob]:
        """Open jobs whose time has come, the longest due first."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="open",
            KeyConditionExpression="#open = :open AND #due_at <= :now",
            ExpressionAttributeNames={"#open": "open", "#due_at": "due_at"},
            ExpressionAttributeValues=to_item({":open": "open", ":now": now}),
            PaginationConfig={"MaxItems": limit},
        )
        for page in pages:
            for item in map(from_item, page["Items"]):
                yield DueJob(item["pk"].removeprefix("job#"), item["due_at"])

    def move(self, due: DueJob, *, due_at: float) -> Job:
        """Move a due job along the index; Refused when somebody else has."""
        return self._change(changes.MOVE, due.id, due_at=due_at, seen=due.due_at)

    def _end(self, change: Change, job: Job, attempt: Attempt, **values: object) -> Job:
        return self._change(change, job.id, index=len(job.attempts) - 1, attempt=_plain(attempt), **values)

    def _change(self, change: Change, job_id: str, *, index: int = 0, **values: object) -> Job:
        token = new_token()
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key(job_id),
                **_expressions(change, index, {**_STATUSES, **values, "token": token}),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            return _own_success(error, token)
        return _job(answer["Attributes"])


def _expressions(change: Change, index: int, values: dict[str, Any]) -> dict[str, Any]:
    update = change.update.replace("[i]", f"[{index}]")
    condition = " AND ".join(change.conditions)
    used = set(re.findall(r":(\w+)", f"{update} {condition}"))
    return {
        "UpdateExpression": update,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {f"#{name}": name for name in re.findall(r"#(\w+)", f"{update} {condition}")},
        "ExpressionAttributeValues": to_item({f":{name}": values[name] for name in used}),
    }


def _own_success(error: ClientError, token: str) -> Job:
    """The job, when the refused write is a repeat of one that had come through; raises Refused otherwise."""
    answer: Mapping[str, Any] = error.response
    if answer["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    found = _job(answer["Item"]) if "Item" in answer else None
    if found is None or found.token != token:
        raise Refused(found) from error
    return found


def _key(job_id: str) -> dict[str, Any]:
    return to_item({"pk": f"job#{job_id}"})


def _item(job: Job) -> dict[str, Any]:
    values = {name: value for name, value in _plain(job).items() if value is not None}
    return to_item({"pk": f"job#{job.id}", "open": "open", **values})


def _job(item: dict[str, Any]) -> Job:
    return msgspec.convert(from_item(item), Job, strict=False)


def _plain(value: object) -> Any:
    return msgspec.to_builtins(value)
