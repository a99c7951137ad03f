"""A repeated request gets the job of the first one, or the reason why that job is gone, and starts no new job."""

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
    """Pause new jobs, and let the functions' cached switch expire."""
    until = {"pk": {"S": KEY}, "paused_until": {"N": str(time.time() + 600)}}
    product.aws.dynamodb.put_item(TableName=TABLE, Item=until)
    with time_machine.travel(time.time() + 31, tick=False):
        yield


def _submit_failing(product: Product, model_server: ModelServer) -> str:
    model_server.fault("invalid", times=2)
    job = product.submit(TRACK)
    product.deliver()
    product.deliver()
    return str(job["id"])


def _deliver_and_delete(product: Product, job_id: str) -> None:
    product.deliver()
    assert product.delete(f"/jobs/{job_id}").status == 204


def test_a_replay_says_that_it_is_one(product: Product) -> None:
    """The header comes with the second answer to a key or to a retry, and with no first one."""
    first, second = (product.post("/generate", TRACK, Idempotency_Key="order-7") for _ in range(2))
    product.post(f"/jobs/{first.json['id']}/cancel")
    again, once_more = (product.post(f"/jobs/{first.json['id']}/retry") for _ in range(2))
    said = [answer.headers.get("Idempotency-Replayed") for answer in (first, second, again, once_more)]
    assert said == [None, "true", None, "true"]


def test_a_replay_is_answered_while_new_jobs_are_paused(product: Product) -> None:
    """During a pause a replay gets its job; a new key, and a request without a key, are refused."""
    job = product.submit(TRACK, Idempotency_Key="order-7")
    with _paused(product):
        assert product.post("/generate", TRACK, Idempotency_Key="order-7").json["id"] == job["id"]
        assert product.post("/generate", TRACK, Idempotency_Key="order-8").json["code"] == "paused"
        assert product.post("/generate", TRACK).json["code"] == "paused"


FULL = {
    "line": {"limits": {"*": {"windows": [[1, 600]]}}, "horizon": 300},
    "dollars": {"owner_caps": {"usd": 0.01}},
    "jobs": {"owner_caps": {"jobs": 1}},
    "open jobs": {"deployment_caps": {"open_jobs": 1}},
}


@pytest.mark.parametrize("settings", FULL.values(), ids=FULL.keys())
def test_a_replay_needs_no_slot_and_no_budget(product_with: Callable[..., Product], settings: dict[str, Any]) -> None:
    """A replay gets its job although a new key is refused, because no slot or no budget is left."""
    product = product_with(cache="off", **settings)
    job = product.submit(TRACK, Idempotency_Key="order-7")
    assert product.post("/generate", TRACK, Idempotency_Key="order-8").status == 429
    assert product.post("/generate", TRACK, Idempotency_Key="order-7").json["id"] == job["id"]
    assert product.post("/generate", {**TRACK, "duration": 2}, Idempotency_Key="order-7").status == 422


def test_a_replay_is_answered_while_the_account_takes_no_calls(
    product_with: Callable[..., Product], model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """The provider asks for an hour without calls: a new key is refused until then, and a replay gets its job."""
    product = product_with(limits={"*": {"windows": [[10, 1]]}}, cache="off")
    model_server.fault("throttled", retry_after=3_600, times=1)
    job = product.submit({**TRACK, "deadline_seconds": 7_200}, Idempotency_Key="order-7")
    product.deliver()
    assert product.post("/generate", TRACK, Idempotency_Key="order-8").json["code"] == "line_too_long"
    again = product.post("/generate", {**TRACK, "deadline_seconds": 7_200}, Idempotency_Key="order-7")
    assert (again.status, again.json["id"]) == (202, job["id"])


def test_a_repeated_retry_needs_no_budget(product_with: Callable[..., Product], model_server: ModelServer) -> None:
    """A repeated retry gets its job although the cap on jobs is used up."""
    product = product_with(owner_caps={"jobs": 2}, cache="off")
    job_id = _submit_failing(product, model_server)
    again = product.post(f"/jobs/{job_id}/retry").json["id"]
    assert product.post("/generate", TRACK).status == 429
    assert product.post(f"/jobs/{job_id}/retry").json["id"] == again


def test_a_replay_is_answered_after_the_last_route_was_removed(product_with: Callable[..., Product]) -> None:
    """After a deploy without a server for the model, a replay gets its job and a new key is refused."""
    small = {**TRACK, "model": "musicgen-small"}
    job = product_with().submit(small, Idempotency_Key="order-7")
    product = product_with(servers={"replicate": "https://api.replicate.com"})
    assert product.post("/generate", small, Idempotency_Key="order-8").json["code"] == "model_unavailable"
    assert product.post("/generate", small, Idempotency_Key="order-7").json["id"] == job["id"]


def test_a_new_key_costs_no_extra_call(product_with: Callable[..., Product]) -> None:
    """The write that creates a job finds replays, so no read comes before it."""
    with recorded_calls() as calls:
        product = product_with(cache="off")
        product.submit(TRACK)  # warms the container up
        calls.clear()
        product.submit(TRACK, Idempotency_Key="order-7")
    assert [call.name for call in calls] == ["PutItem", "SendMessage"]


def test_a_reused_key_is_refused_while_new_jobs_are_paused(product: Product) -> None:
    """A key with another body gets 422 during a pause, as at any other time."""
    product.submit(TRACK, Idempotency_Key="order-7")
    with _paused(product):
        answer = product.post("/generate", {**TRACK, "duration": 2}, Idempotency_Key="order-7")
    assert answer.json["code"] == "idempotency_key_reused"


def test_a_key_of_an_expired_job_is_refused_while_new_jobs_are_paused(product: Product) -> None:
    """A key whose job has expired would create a new job, so it gets 503 during a pause."""
    product.submit(TRACK, Idempotency_Key="order-7")
    with time_machine.travel(time.time() + 9 * 86_400, tick=False), _paused(product):
        assert product.post("/generate", TRACK, Idempotency_Key="order-7").json["code"] == "paused"


def test_a_repeated_retry_is_answered_while_new_jobs_are_paused(product: Product, model_server: ModelServer) -> None:
    """During a pause a repeated retry gets its job, and a first retry is refused."""
    job_id, other = (_submit_failing(product, model_server) for _ in range(2))
    again = product.post(f"/jobs/{job_id}/retry").json["id"]
    with _paused(product):
        assert product.post(f"/jobs/{job_id}/retry").json["id"] == again
        assert product.post(f"/jobs/{other}/retry").json["code"] == "paused"


@pytest.mark.parametrize("paused", [False, True])
def test_a_replay_of_a_deleted_job_is_gone(product: Product, *, paused: bool) -> None:
    """A replay of a deleted job gets 410; it creates no new job, which would be charged again."""
    job = product.submit(TRACK, Idempotency_Key="order-7")
    _deliver_and_delete(product, job["id"])
    if paused:
        with _paused(product):
            answer = product.post("/generate", TRACK, Idempotency_Key="order-7")
    else:
        answer = product.post("/generate", TRACK, Idempotency_Key="order-7")
    assert (answer.status, answer.json["code"], answer.json["charged"]) == (410, "job_expired", "no")
    assert "deleted" in answer.json["detail"]
    assert product.messages() == []


def test_a_retry_that_was_deleted_is_not_made_again(product: Product, model_server: ModelServer) -> None:
    """A second retry after the first was deleted gets 410, because the first one was charged."""
    job_id = _submit_failing(product, model_server)
    _deliver_and_delete(product, product.post(f"/jobs/{job_id}/retry").json["id"])
    assert product.post(f"/jobs/{job_id}/retry").status == 410


def test_a_job_whose_model_has_left_the_catalogue_is_not_retried(product: Product, model_server: ModelServer) -> None:
    """The retry gets 404 with the models that are offered, and the job can still be read."""
    job_id = _submit_failing(product, model_server)
    _rewrite_model(product, job_id, "musicgen-tiny")
    answer = product.post(f"/jobs/{job_id}/retry")
    assert (answer.status, answer.json["code"]) == (404, "model_unavailable")
    assert "musicgen-small" in answer.json["detail"]
    assert product.job(job_id)["model"] == "musicgen-tiny"


def _rewrite_model(product: Product, job_id: str, model: str) -> None:
    """Write another model into the job, as an earlier deployment might have stored it."""
    request: dict[str, Any] = {
        "Key": {"pk": {"S": f"job#{job_id}"}},
        "UpdateExpression": "SET #request.#model = :model",
        "ExpressionAttributeNames": {"#request": "request", "#model": "model"},
        "ExpressionAttributeValues": {":model": {"S": model}},
    }
    product.aws.dynamodb.update_item(TableName=TABLE, **request)
