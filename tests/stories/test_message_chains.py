"""AWS's rule against loops: a chain of messages that functions send to themselves ends after 16 rounds.

The stack allows such chains for the function that polls and waits. These stories play the rule to show why.
Source: AWS Lambda's developer guide, "Recursive loop detection" (2026-11).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import time_machine
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from local.stand_ins.replicate import ReplicateServer
from tests.harness.aws import REGION
from tests.harness.product import QUEUES, Product
from tests.harness.summaries import FIGURE

ROUNDS = 16
TRACK = {"prompt": "powerful guitar riffs", "model": "musicgen-large", "duration": 2}


@pytest.fixture
def product(product_with: Callable[..., Product]) -> Iterator[Product]:
    """A deployment whose provider is done at its 30th poll."""
    with ReplicateServer(quick=True, polls=30) as replicate:
        yield product_with(servers={"replicate": replicate.url}, cache="off")


def _in_queues(product: Product) -> set[str]:
    """The ids of all messages, those that are delayed included."""
    queues = get_backend("sqs")[DEFAULT_ACCOUNT_ID][REGION]
    names = [product.aws.environment[name].rpartition("/")[2] for name in QUEUES]
    return {message.id for name in names for message in queues.get_queue(name)._messages}


def _seconds_until_over(product: Product, clock: time_machine.Traveller, job: str, *, most_rounds: float) -> float:
    """Deliver each message when it is due; one that comes from as many rounds is dropped, as AWS drops it."""
    rounds: dict[str, int] = {}
    began = time.time()
    while product.job(job)["status"] in ("queued", "running"):
        for message in product.messages():
            before, so_far = _in_queues(product), rounds.get(message["MessageId"], 0)
            if so_far < most_rounds:
                product.hand_over(message["Body"])
            product.aws.sqs.delete_message(QueueUrl=message["Queue"], ReceiptHandle=message["ReceiptHandle"])
            rounds |= dict.fromkeys(_in_queues(product) - before, so_far + 1)
        clock.shift(1)
        if round(time.time() - began) % 60 == 0:
            product.sweep()
    return time.time() - began


def test_a_chain_cut_by_aws_delays_a_result_and_loses_none(
    product: Product, clock: time_machine.Traveller, record_property: Callable[[str, object], None]
) -> None:
    """Where AWS ends chains, the sweeper goes on in its place: the result comes, and a minute or more too late."""
    allowed, cut = (
        _seconds_until_over(product, clock, product.submit(TRACK)["id"], most_rounds=most)
        for most in (float("inf"), ROUNDS)
    )
    record_property(FIGURE, f"30 polls: {allowed:.0f} s; with chains cut after {ROUNDS} rounds: {cut:.0f} s")
    jobs = product.get("/jobs").json["jobs"]
    assert [(job["status"], len(job["attempts"])) for job in jobs] == [("succeeded", 1)] * 2
    assert cut > allowed + 30
