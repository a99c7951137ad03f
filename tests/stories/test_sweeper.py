"""The sweeper sends a bounded number of messages in a run, and jobs that merely wait delay no other."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
import wiring
from longplay.domain.schedule import LONGEST_STEP
from longplay.engine.sweeper import MOST_RESENT, MOST_WAITING
from longplay.storage.table import to_item

from benchmarks.waiting import wait
from local.stand_ins.model import ModelServer
from tests.harness.aws import TABLE
from tests.harness.aws_calls import recorded_calls
from tests.harness.product import Product
from tests.harness.summaries import FIGURE
from tests.stories.actions import kill_after_submit

TRACK = {"prompt": "chill beats with vinyl crackle", "genre": "lofi", "duration": 1}


def _copies(product: Product, count: int) -> None:
    """Submit one job, and write copies of its item until there are this many waiting jobs."""
    key = {"pk": {"S": f"job#{product.submit(TRACK)['id']}"}}
    item = product.aws.dynamodb.get_item(TableName=TABLE, Key=key)["Item"]
    for start in range(0, count - 1, 25):
        puts = [_put(item, f"copy{n}") for n in range(start, min(start + 25, count - 1))]
        product.aws.dynamodb.batch_write_item(RequestItems={TABLE: puts})


def _put(item: dict[str, Any], job_id: str) -> dict[str, Any]:
    return {"PutRequest": {"Item": {**item, **to_item({"pk": f"job#{job_id}", "id": job_id})}}}


def _sent(product: Product) -> int:
    """The number of messages in the queue for calls."""
    return _in_queue(product, "ApproximateNumberOfMessages")


def _in_queue(product: Product, attribute: Any) -> int:
    queue = product.aws.environment["CALLS_QUEUE_URL"]
    answer = product.aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=[attribute])
    return int(answer["Attributes"][attribute])


def test_a_run_looks_at_a_bounded_number_of_jobs_and_resends_fewer(
    product: Product, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run looks at and sends no more jobs than its bounds allow; moto is slow, so the bounds are a tenth here."""
    looked_at, resent = MOST_WAITING // 10, MOST_RESENT // 10
    monkeypatch.setattr("longplay.engine.sweeper.MOST_WAITING", looked_at)
    monkeypatch.setattr("longplay.engine.sweeper.MOST_RESENT", resent)
    _copies(product, looked_at + 20)
    clock.shift(61)
    before = _sent(product)
    with recorded_calls() as calls:
        wiring.dependencies.cache_clear()
        product.sweep()
    moved = sum(call.name == "UpdateItem" for call in calls)
    assert (moved, _sent(product) - before) == (looked_at, resent)


def test_jobs_that_wait_for_a_worker_delay_no_other(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many more jobs wait than a run looks at. One job is far away, one crashes, and one is overdue."""
    monkeypatch.setattr("longplay.engine.sweeper.MOST_WAITING", 10)
    model_server.fault("throttled", retry_after=3_600, times=1)
    far = product.submit({"prompt": "far", "deadline_seconds": 7_200})["id"]
    product.deliver()
    crashed = product.submit({"prompt": "crashes", "max_charges": 1})["id"]
    kill_after_submit(product, monkeypatch)
    overdue = product.submit({"prompt": "is late", "deadline_seconds": 400})["id"]
    _copies(product, 200)
    began, seen = time.time(), dict[str, int]()
    for second in range(30, 3_600, 60):
        clock.move_to(began + second)
        product.sweep()
        ended = [job for job in (crashed, overdue) if product.job(job)["status"] == "failed"]
        sent = [far] if _in_queue(product, "ApproximateNumberOfMessagesDelayed") else []
        seen = dict.fromkeys((*ended, *sent), second) | seen
        product.aws.sqs.purge_queue(QueueUrl=product.aws.environment["CALLS_QUEUE_URL"])
    print(f"crash resolved after {seen[crashed]} s, overdue job ended after {seen[overdue]} s, far one {seen[far]} s")
    assert 340 <= seen[crashed] <= 340 + 90
    assert 400 <= seen[overdue] <= 400 + 90
    assert 3_600 - 300 <= seen[far] <= 3_600 - 300 + 90


def test_a_waiting_job_is_resent_at_growing_intervals(product: Product, clock: time_machine.Traveller) -> None:
    """The intervals double from one minute to half an hour, so three hours have at most ten messages."""
    product.submit({**TRACK, "deadline_seconds": 4 * 3_600})
    sent_at, began = [], time.time()
    for _ in range(180):
        clock.shift(60)
        before = _sent(product)
        product.sweep()
        if _sent(product) > before:
            sent_at.append(round((time.time() - began) / 60))
    gaps = [later - earlier for earlier, later in itertools.pairwise(sent_at)]
    assert len(sent_at) <= 10, sent_at
    assert all(later >= earlier for earlier, later in itertools.pairwise(gaps)), sent_at
    assert gaps[-1] == LONGEST_STEP / 60


def test_a_broken_job_does_not_stop_the_sweeper(product: Product, clock: time_machine.Traveller) -> None:
    """The error of a broken job is raised after all jobs have been looked at, so that the alarm sees it."""
    broken, other = (product.submit({"prompt": prompt, "deadline_seconds": 60}) for prompt in ("broken", "sound"))
    product.aws.dynamodb.update_item(
        TableName=TABLE,
        Key={"pk": {"S": f"job#{broken['id']}"}},
        UpdateExpression="SET max_charges = :nonsense",
        ExpressionAttributeValues={":nonsense": {"S": "many"}},
    )
    clock.shift(120)
    with pytest.raises(ExceptionGroup, match="1 of 2 due jobs"):
        product.sweep()
    assert product.job(other["id"])["status"] == "failed"


def test_more_waiting_jobs_than_a_run_sends_are_sent_again_in_turn(
    record_property: Callable[[str, object], None],
) -> None:
    """No run sends more than its bound, and each job gets its turn. `make bench` does this with 10,000 jobs."""
    jobs, minutes = 2_000, 30
    waited = wait(jobs, minutes=minutes)
    record_property(
        FIGURE,
        f"{jobs:,} jobs waiting for {minutes} minutes: {sum(waited.runs):,} messages repeated, "
        f"at most {max(waited.runs)} in a run and {waited.most} for a job",
    )
    assert max(waited.runs) == MOST_RESENT
    assert sum(waited.runs) <= minutes * MOST_RESENT
    assert waited.never == 0
    assert waited.most <= 3


def test_with_nothing_open_a_run_is_fourteen_queries(product: Product, clock: time_machine.Traveller) -> None:
    """Without open jobs the sweeper asks each shard of the index once, also those of hooks, batches and version 0.1."""
    product.submit(TRACK)
    product.deliver()
    clock.shift(7_200)
    with recorded_calls() as calls:
        wiring.dependencies.cache_clear()
        product.sweep()
    assert [call.name for call in calls] == ["Query"] * 14
