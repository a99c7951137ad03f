"""The same request again: it is answered with the job there is, or with what became of it, and starts nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import time_machine
from longplay.storage.switch import KEY

from local.stand_ins.model import ModelServer
from tests.harness.aws import TABLE
from tests.harness.aws_calls import recorded_calls
from tests.harness.product import Product

TRACK = {"prompt": "smooth saxophone with walking bass", "genre": "jazz", "duration": 1}


@contextmanager
def _paused(product: Product) -> Iterator[None]:
    """New jobs are not taken, and the functions have noticed."""
    until = {"pk": {"S": KEY}, "paused_until": {"N": str(time.time() + 600)}}
    product.aws.dynamodb.put_item(TableName=TABLE, Item=until)
    with time_machine.travel(time.time() + 31, tick=False):
        yield


def _failed(product: Product, model_server: ModelServer) -> str:
    model_server.fault("invalid", times=2)
    job = product.submit(TRACK)
    product.deliver()
    product.deliver()
    return str(job["id"])


def _deleted(product: Product, job_id: str) -> None:
    product.deliver()
    assert product.delete(f"/jobs/{job_id}").status == 204


def test_a_replay_is_answered_while_new_jobs_are_paused(product: Product) -> None:
    """It makes none; another key, or none, would."""
    job = product.submit(TRACK, Idempotency_Key="order-7")
    with _paused(product):
        assert product.post("/generate", TRACK, Idempotency_Key="order-7").json["id"] == job["id"]
        assert product.post("/generate", TRACK, Idempotency_Key="order-8").json["code"] == "paused"
        assert product.post("/generate", TRACK).json["code"] == "paused"


def test_looking_for_a_replay_costs_no_call_while_jobs_are_taken(product_with: Callable[..., Product]) -> None:
    """The write that creates the job tells of the one there is."""
    with recorded_calls() as calls:
        product = product_with(cache="off")
        product.submit(TRACK)  # a container is warm
        calls.clear()
        product.submit(TRACK, Idempotency_Key="order-7")
    assert [call.name for call in calls] == ["PutItem", "SendMessage"]


def test_a_mixed_up_key_is_told_while_new_jobs_are_paused(product: Product) -> None:
    """422, as at any other time."""
    product.submit(TRACK, Idempotency_Key="order-7")
    with _paused(product):
        answer = product.post("/generate", {**TRACK, "duration": 2}, Idempotency_Key="order-7")
    assert answer.json["code"] == "idempotency_key_reused"


def test_a_key_whose_job_has_expired_is_a_new_one_and_has_to_wait(product: Product) -> None:
    """503: while new jobs are paused, nothing is made in its place."""
    product.submit(TRACK, Idempotency_Key="order-7")
    with time_machine.travel(time.time() + 9 * 86_400, tick=False), _paused(product):
        assert product.post("/generate", TRACK, Idempotency_Key="order-7").json["code"] == "paused"


def test_a_retry_is_found_again_while_new_jobs_are_paused(product: Product, model_server: ModelServer) -> None:
    """And a first one has to wait."""
    job_id, other = (_failed(product, model_server) for _ in range(2))
    again = product.post(f"/jobs/{job_id}/retry").json["id"]
    with _paused(product):
        assert product.post(f"/jobs/{job_id}/retry").json["id"] == again
        assert product.post(f"/jobs/{other}/retry").json["code"] == "paused"


@pytest.mark.parametrize("paused", [False, True])
def test_a_replay_of_a_job_that_was_deleted_says_so(product: Product, *, paused: bool) -> None:
    """410, not a blank job; and not a new one, which would be paid for again."""
    job = product.submit(TRACK, Idempotency_Key="order-7")
    _deleted(product, job["id"])
    if paused:
        with _paused(product):
            answer = product.post("/generate", TRACK, Idempotency_Key="order-7")
    else:
        answer = product.post("/generate", TRACK, Idempotency_Key="order-7")
    assert (answer.status, answer.json["code"], answer.json["charged"]) == (410, "job_expired", "no")
    assert "deleted" in answer.json["detail"]
    assert product.messages() == []


def test_a_retry_that_was_deleted_is_not_made_again(product: Product, model_server: ModelServer) -> None:
    """410 too: the first one has been paid for."""
    job_id = _failed(product, model_server)
    _deleted(product, product.post(f"/jobs/{job_id}/retry").json["id"])
    assert product.post(f"/jobs/{job_id}/retry").status == 410


def test_a_job_whose_model_has_left_the_catalogue_is_not_retried(product: Product, model_server: ModelServer) -> None:
    """503 with the models there are; the job itself can still be looked at."""
    job_id = _failed(product, model_server)
    _rewrite_model(product, job_id, "musicgen-tiny")
    answer = product.post(f"/jobs/{job_id}/retry")
    assert (answer.status, answer.json["code"]) == (503, "not_configured")
    assert "musicgen-small" in answer.json["detail"]
    assert product.job(job_id)["model"] == "musicgen-tiny"


def _rewrite_model(product: Product, job_id: str, model: str) -> None:
    """As if an earlier deployment had taken the job."""
    request: dict[str, Any] = {
        "Key": {"pk": {"S": f"job#{job_id}"}},
        "UpdateExpression": "SET #request.#model = :model",
        "ExpressionAttributeNames": {"#request": "request", "#model": "model"},
        "ExpressionAttributeValues": {":model": {"S": model}},
    }
    product.aws.dynamodb.update_item(TableName=TABLE, **request)
