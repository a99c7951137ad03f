"""Polls that a provider refuses: throttled ones, and ones with a bad token."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import time_machine

from local.stand_ins.replicate import ReplicateServer
from tests.harness.aws import TABLE
from tests.harness.product import Product

TRACK = {"prompt": "powerful guitar riffs", "model": "musicgen-large", "duration": 2}


@pytest.fixture
def replicate() -> Iterator[ReplicateServer]:
    """Replicate's stand-in; a prediction is done at its first poll."""
    with ReplicateServer(quick=True) as server:
        yield server


@pytest.fixture
def job(product_with: Callable[..., Product], replicate: ReplicateServer) -> tuple[Product, str]:
    """The product, and the id of a job that is at Replicate."""
    product = product_with(servers={"replicate": replicate.url})
    submitted = product.submit(TRACK)
    product.deliver()
    return product, str(submitted["id"])


def _run(product: Product, clock: time_machine.Traveller, seconds: int) -> None:
    for _ in range(seconds // 15):
        product.sweep()
        product.deliver()
        clock.shift(15)


def test_a_poll_waits_for_five_minutes_at_most(
    clock: time_machine.Traveller, job: tuple[Product, str], replicate: ReplicateServer
) -> None:
    """Replicate erases results after an hour, so a Retry-After of an hour is shortened to five minutes."""
    product, job_id = job
    replicate.fault("throttled", at="poll", retry_after=3_600)
    _run(product, clock, 420)
    assert product.job(job_id)["status"] == "succeeded"


def test_a_token_that_is_refused_at_a_poll_pauses_its_account(
    clock: time_machine.Traveller,
    job: tuple[Product, str],
    replicate: ReplicateServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The job and the log say that the account was refused; the result comes when the token is valid again."""
    product, job_id = job
    replicate.fault("unauthorized", at="poll", times=2)
    _run(product, clock, 30)
    waiting = product.job(job_id)
    assert (waiting["status"], waiting["wait"]["reason"]) == ("running", "account_paused")
    assert "refuses this deployment's access" in waiting["wait"]["basis"]
    assert "make token PROVIDER=replicate" in caplog.text
    assert any(str(getattr(record, "outcome", "")).startswith("account refused") for record in caplog.records)
    items = product.aws.dynamodb.scan(TableName=TABLE)["Items"]
    assert [item["pk"]["S"] for item in items if item["pk"]["S"].startswith("closed#")] == ["closed#replicate"]
    _run(product, clock, 600)
    assert (product.job(job_id)["status"], replicate.generations) == ("succeeded", 1)
