"""Equal requests share one generation and its file."""

from __future__ import annotations

from collections.abc import Callable

import time_machine

from local.stand_ins.model import ModelServer
from tests.harness.aws import BUCKET
from tests.harness.product import Product

TRACK = {"prompt": "peaceful piano melody", "genre": "classical", "duration": 1}


def _run(product: Product, clock: time_machine.Traveller, seconds: int = 60) -> None:
    for _ in range(seconds):
        product.deliver()
        clock.shift(1)


def test_a_cached_result_comes_at_once_and_costs_nothing(product: Product, model_server: ModelServer) -> None:
    """An equal request gets 200 and a succeeded job with its own copy of the file, at no charge."""
    product.submit(TRACK)
    product.deliver()
    answer = product.post("/generate", TRACK)
    job = answer.json
    assert (answer.status, job["status"], job["cached"], job["cost"]["charged_usd"]) == (200, "succeeded", True, 0)
    assert product.file(job) == product.file(product.job(job["id"]))
    assert model_server.generations == 1
    assert product.messages() == []


def test_a_number_is_the_same_however_it_is_written(product: Product, model_server: ModelServer) -> None:
    """A duration of 1 and one of 1.0 are equal requests."""
    product.submit({**TRACK, "duration": 1})
    product.deliver()
    assert product.post("/generate", {**TRACK, "duration": 1.0}).json["cached"] is True


def test_fresh_generates_again(product: Product, model_server: ModelServer) -> None:
    """A request with `fresh` starts a new generation although the cache has a result."""
    product.submit(TRACK)
    product.deliver()
    again = product.submit({**TRACK, "fresh": True})
    product.deliver()
    assert model_server.generations == 2
    assert product.job(again["id"])["cached"] is False


def test_results_of_one_owner_are_not_given_to_another(product: Product) -> None:
    """By default an equal request of another owner is a new job."""
    product.submit(TRACK)
    product.deliver()
    assert product.post("/generate", TRACK, key="lp_bob_secret00").status == 202


def test_owners_can_share_results(product_with: Callable[..., Product], model_server: ModelServer) -> None:
    """With `cache` set to `deployment`, an equal request of another owner gets the cached result."""
    product = product_with(cache="deployment")
    product.submit(TRACK)
    product.deliver()
    assert product.post("/generate", TRACK, key="lp_bob_secret00").status == 200


def test_equal_requests_in_flight_make_one_call(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """The first of equal requests is the leader; the others follow it and name it in their wait."""
    leader, *followers = (product.submit(TRACK) for _ in range(3))
    waits = [job["wait"] for job in followers]
    assert {wait["reason"] for wait in waits} == {"coalesced"}
    assert leader["id"] in waits[0]["basis"]
    _run(product, clock)
    assert {product.job(job["id"])["status"] for job in (leader, *followers)} == {"succeeded"}
    assert model_server.generations == 1


def test_a_follower_takes_the_lead_when_its_leader_fails(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """A follower of a job that failed makes its own call, and succeeds."""
    model_server.fault("invalid", times=1)
    leader, follower = product.submit(TRACK), product.submit(TRACK)
    _run(product, clock)
    assert [product.job(job["id"])["status"] for job in (leader, follower)] == ["failed", "succeeded"]


def test_a_follower_takes_the_lead_when_its_leader_is_canceled(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """A follower of a job that was canceled while it waited makes the only call, and succeeds."""
    leader, follower = product.submit(TRACK), product.submit(TRACK)
    product.post(f"/jobs/{leader['id']}/cancel")
    _run(product, clock)
    assert [product.job(job["id"])["status"] for job in (leader, follower)] == ["canceled", "succeeded"]
    assert model_server.generations == 1


def test_a_cached_result_without_its_file_is_generated_again(product: Product, model_server: ModelServer) -> None:
    """A cache entry whose file is missing in the bucket counts as no result."""
    first = product.submit(TRACK)
    product.deliver()
    for entry in product.aws.s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        product.aws.s3.delete_object(Bucket=BUCKET, Key=entry["Key"])
    again = product.submit(TRACK)
    product.deliver()
    assert product.job(again["id"])["status"] == "succeeded"
    assert (again["id"] != first["id"], model_server.generations) == (True, 2)


def test_the_cache_can_be_off(product_with: Callable[..., Product], model_server: ModelServer) -> None:
    """With `cache` set to `off`, each of two equal requests starts a generation."""
    product = product_with(cache="off")
    for _ in range(2):
        product.submit(TRACK)
    while product.deliver():
        pass
    assert model_server.generations == 2
