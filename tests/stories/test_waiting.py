"""The estimates that callers read while their jobs wait for a free worker, without any limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
import wiring

from local.stand_ins.model import ModelServer
from tests.harness.aws_faults import AwsFault, aws_answers
from tests.harness.product import Product

TRACK = {"prompt": "slow waltz"}


@pytest.fixture
def product(product_with: Callable[..., Product], clock: time_machine.Traveller) -> Product:
    """A deployment that makes two calls at once; a track takes 20 s by the catalogue."""
    return product_with(concurrent_calls=2, horizon=300, cache="off")


def _eta(job: dict[str, Any]) -> float:
    return float(job["wait"]["eta_seconds"])


def test_each_job_is_told_of_those_before_it(product: Product) -> None:
    """Ten jobs and two workers: each job more adds half a generation, at its submission and when it is read again."""
    jobs = [product.submit({**TRACK, "prompt": f"waltz {n}"}) for n in range(10)]
    assert [_eta(job) for job in jobs] == [20 + 10 * n for n in range(10)]
    assert _eta(product.job(jobs[9]["id"])) == 110


def test_a_job_that_would_wait_beyond_the_horizon_is_refused(product: Product, clock: time_machine.Traveller) -> None:
    """Thirty jobs need 300 s of two workers. The 32nd job is told when to come again, and then accepted."""
    for n in range(31):
        product.submit({**TRACK, "prompt": f"waltz {n}"})
    refused = product.post("/generate", TRACK)
    assert (refused.status, refused.json["code"], refused.headers["Retry-After"]) == (429, "line_too_long", "10")
    assert "free worker" in refused.json["detail"]
    product.deliver()
    clock.shift(10)
    product.submit(TRACK)


def test_a_job_that_is_late_is_expected_to_be_later_still(product: Product, clock: time_machine.Traveller) -> None:
    """Three jobs wait although the time they were told has passed: a quarter of the wait is added."""
    *_, last = (product.submit({**TRACK, "prompt": f"waltz {n}"}) for n in range(3))
    clock.shift(60)
    assert _eta(product.job(last["id"])) == 20 + 60 / 4


def test_a_follower_is_told_when_its_leader_ends(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """Both say the same, for any wait of the leader."""
    product = product_with(limits={"*": {"windows": [[1, 100]]}})
    product.submit({"prompt": "another"})
    leader, follower = product.submit(TRACK), product.submit(TRACK)
    assert [round(_eta(job)) for job in (leader, follower)] == [120, 120]
    clock.shift(60)
    assert round(_eta(product.job(follower["id"]))) == 60


def test_without_an_answer_of_the_queue_no_job_is_refused(product: Product, model_server: ModelServer) -> None:
    """The number of messages is a convenience: a submission does not fail for it."""
    client = wiring.dependencies()._forecast.backlog._client
    with aws_answers(client, "GetQueueAttributes", AwsFault("RequestThrottled", 403)):
        job = product.submit(TRACK)
    product.deliver()
    assert product.job(job["id"])["status"] == "succeeded"
