"""Workers whose clocks are behind: the message of a job comes early, and the job is not late."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

import pytest
import time_machine

from local.stand_ins.model import ModelServer
from local.stand_ins.replicate import ReplicateServer
from tests.harness.product import Product

BEHIND = pytest.mark.parametrize("behind", [0.05, 1, 2.9, 3.5, 5])  # seconds


@BEHIND
def test_a_reserved_start_is_kept_by_a_worker_that_is_behind(
    product_with: Callable[..., Product], model_server: ModelServer, clock: time_machine.Traveller, behind: float
) -> None:
    """Its message comes a second before the start by the clock of SQS, and the call begins within two seconds."""
    product = product_with(limits={"*": {"windows": [[1, 20]]}}, cache="off", start_tolerance=0)
    for prompt in ("one", "two"):
        product.submit({"prompt": prompt, "duration": 1})
    product.deliver()
    _deliver_to_one_behind(product, clock, after=19, behind=behind)
    first, second = (request.started_at for request in model_server.requests)
    assert 20 <= second - first < 22


@BEHIND
def test_a_retry_is_made_in_time_by_a_worker_that_is_behind(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller, behind: float
) -> None:
    """The wait that the provider asks for is over by the clock of SQS, and the call begins within two seconds."""
    model_server.fault("throttled", retry_after=20, times=1)
    product.submit({"prompt": "one", "duration": 1})
    product.deliver()
    _deliver_to_one_behind(product, clock, after=20, behind=behind)
    first, second = (request.started_at for request in model_server.requests)
    assert 20 <= second - first < 22


@BEHIND
def test_a_poll_is_made_in_time_by_a_worker_that_is_behind(
    product_with: Callable[..., Product], clock: time_machine.Traveller, behind: float
) -> None:
    """The prediction is asked for within two seconds after its time."""
    with ReplicateServer(quick=True) as server:
        product = product_with(servers={"replicate": server.url})
        job = product.submit({"prompt": "one", "model": "musicgen-large", "duration": 2})
        product.deliver()
        at = datetime.fromisoformat(product.job(job["id"])["wait"]["slot_at"]).timestamp()
        _deliver_to_one_behind(product, clock, after=at - time.time() + 0.01, behind=behind)
        poll = next(request for request in server.requests if request.method == "GET")
    assert -0.01 <= poll.started_at - at < 2


def _deliver_to_one_behind(product: Product, clock: time_machine.Traveller, *, after: float, behind: float) -> None:
    """Hand over the messages that are due `after` seconds from now, `behind` seconds before that."""
    clock.shift(after)
    early = product.messages()
    clock.shift(-behind)
    assert early
    for message in early:
        product.aws.sqs.delete_message(QueueUrl=message["Queue"], ReceiptHandle=message["ReceiptHandle"])
        product.hand_over(message["Body"])
    for _ in range(30):
        product.deliver()
        clock.shift(0.25)
