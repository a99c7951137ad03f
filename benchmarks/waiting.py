"""An hour of the sweeper behind slow workers: how many messages it repeats for 10,000 jobs that no worker takes."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from botocore.exceptions import ClientError
from longplay.domain.settings import Settings
from longplay.engine.ledger import Ledger
from longplay.engine.sweeper import MOST_RESENT, Sweeper
from longplay.storage.ends import Ends
from longplay.storage.jobs import JobTable
from longplay.storage.patience import Patience
from longplay.storage.queue import JobQueue, read_message
from longplay.storage.table import Table, from_item, to_item

from benchmarks.tables import show

JOBS, MINUTE = 10_000, 60.0
HOURS = (1, 2)
BEGIN = 1_800_000_000.0  # the epoch second at which all are submitted
DEADLINE = 86_400.0  # seconds, the longest there is: what is asked here is how they wait, not how they end


@dataclass(kw_only=True)
class Waiting:
    """The messages the sweeper has sent, by run and by job."""

    runs: list[int] = field(default_factory=list)
    jobs: Counter[str] = field(default_factory=Counter)
    never: int = 0

    @property
    def most(self) -> int:
        """The most that one job has been sent again."""
        return max(self.jobs.values(), default=0)


def main() -> None:
    """Print the table."""
    rows = []
    for hours in HOURS:
        waited = wait(JOBS, minutes=60 * hours)
        rows.append(
            (f"{hours} h", f"{sum(waited.runs):,}", f"{max(waited.runs)}", f"{waited.most}", f"{waited.never:,}")
        )
    show(
        f"{JOBS:,} jobs that no worker takes, the sweeper every minute",
        ("waited", "messages repeated", "most in a run", "most for a job", "jobs not repeated yet"),
        rows,
        f"Simulated time. A run repeats at most {MOST_RESENT}; what it passes over is due again soon.",
    )


def wait(jobs: int, *, minutes: int) -> Waiting:
    """Let so many jobs wait so long, each with its message still in the queue."""
    table, sent = TableInMemory(), Sent()
    for n in range(jobs):
        table.hold(_job(f"job{n:05}", place=f"waits#{n % 4}"))
    found, unused, resend_after = JobTable(Table(cast(Any, table), "jobs")), cast(Any, None), Settings().resend_after
    ledger = Ledger(
        jobs=found,
        queue=JobQueue(cast(Any, sent), {"calls": "calls", "steps": "steps"}),
        hook_queue=unused,
        ends=Ends(unused, unused),  # no job crashes or ends here
        limiter=unused,
        bucket=unused,
        patience=Patience(),
        resend_after=resend_after,
        clock=lambda: table.now,
    )
    sweeper = Sweeper(jobs=found, ledger=ledger, recovery=unused, resend_after=resend_after, clock=lambda: table.now)
    waiting = Waiting()
    for minute in range(1, minutes + 1):
        table.now, before = BEGIN + minute * MINUTE, len(sent.bodies)
        sweeper.sweep()
        waiting.runs.append(len(sent.bodies) - before)
    waiting.jobs.update(read_message(body).job for body in sent.bodies)
    waiting.never = jobs - len(waiting.jobs)
    return waiting


class Sent:
    """A stand-in for the SQS client; no message is received."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def send_message(self, *, MessageBody: str, **_: object) -> None:  # noqa: N803 - AWS's spelling
        """One more message."""
        self.bodies.append(MessageBody)


class TableInMemory:
    """Stands where boto3's client does, under the real `Table`: waiting jobs, and their index by `due_at`."""

    def __init__(self) -> None:
        self.now = BEGIN
        self._items: dict[str, dict[str, Any]] = {}
        self._due: dict[str, float] = {}

    def hold(self, job: Mapping[str, Any]) -> None:
        """One more job."""
        self._items[job["pk"]] = to_item(job)
        self._due[job["pk"]] = job["due_at"]

    def get_item(self, *, Key: Mapping[str, Any], **_: object) -> dict[str, Any]:  # noqa: N803
        """The job."""
        return {"Item": self._items[Key["pk"]["S"]]}

    def query(self, *, Limit: int, ExpressionAttributeValues: Mapping[str, Any], **page: Any) -> dict[str, Any]:  # noqa: N803
        """A page of the jobs of a place that are due, the longest due first. Only this index is ever asked."""
        place, after = ExpressionAttributeValues[":open"], page.get("ExclusiveStartKey", (0.0, ""))
        here = ((due_at, key) for key, due_at in self._due.items() if self._items[key]["open"] == place)
        found = heapq.nsmallest(Limit, (entry for entry in here if entry[0] <= self.now and entry > after))
        keys = {"Items": [to_item({"pk": key, "due_at": due_at}) for due_at, key in found]}
        return keys | ({"LastEvaluatedKey": found[-1]} if len(found) == Limit else {})

    def update_item(self, *, Key: Mapping[str, Any], **parameters: Any) -> dict[str, Any]:  # noqa: N803
        """A job moved along the index, if it is where it was seen; raises ClientError when it is not."""
        key, values = Key["pk"]["S"], from_item(parameters["ExpressionAttributeValues"])
        assert parameters["ConditionExpression"] == "#due_at = :seen_due_at"
        if self._due[key] != values[":seen_due_at"]:
            raise ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "UpdateItem")
        self._due[key] = values[":due_at"]
        self._items[key] = {**self._items[key], **to_item({"due_at": self._due[key], "open": values[":open"]})}
        return {"Attributes": self._items[key]}


def _job(job_id: str, *, place: str) -> dict[str, Any]:
    """A queued job as the table holds it, its message sent."""
    return {
        "pk": f"job#{job_id}",
        "id": job_id,
        "owner": "alice",
        "status": "queued",
        "open": place,
        "request": {"kind": "music", "model": "musicgen-small", "prompt": "a slow waltz", "parameters": {}},
        "created_at": BEGIN,
        "expires_at": int(BEGIN + DEADLINE),
        "deadline": BEGIN + DEADLINE,
        "body_hash": "",
        "token": "",
        "route": "endpoint",
        "account": "*",
        "price_usd": 0.005,
        "not_before": BEGIN,
        "due_at": BEGIN + MINUTE,
        "max_charges": 2,
    }


if __name__ == "__main__":
    main()
