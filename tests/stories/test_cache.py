"""Equal requests share one generation, and the same question gets the same file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import time_machine

from local.stand_ins.model import ModelServer
from tests.harness.aws import BUCKET
from tests.harness.product import Product

TRACK = {"prompt": "peaceful piano melody", "genre": "classical", "duration": 1}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time that moves only when a test says so."""
    with time_machine.travel(time.time(), tick=False) as coordinates:
        yield coordinates


def _run(product: Product, clock: time_machine.Traveller, seconds: int = 60) -> None:
    for _ in range(seconds):
        product.deliver()
        clock.shift(1)


def test_a_known_answer_comes_at_once_and_costs_nothing(product: Product, model_server: ModelServer) -> None:
    """200, succeeded, with a file of its own."""
    product.submit(TRACK)
    product.deliver()
    answer = product.post("/generate", TRACK)
    job = answer.json
    assert (answer.status, job["status"], job["cached"], job["cost"]["charged_usd"]) == (200, "succeeded", True, 0)
    assert product.file(job) == product.file(product.job(job["id"]))
    assert model_server.generations == 1
    assert product.messages() == []


def test_a_number_is_the_same_however_it_is_written(product: Product, model_server: ModelServer) -> None:
    """1 and 1.0 ask for one thing."""
    product.submit({**TRACK, "duration": 1})
    product.deliver()
    assert product.post("/generate", {**TRACK, "duration": 1.0}).json["cached"] is True


def test_fresh_generates_anew_and_replaces_the_answer(product: Product, model_server: ModelServer) -> None:
    """A caller who wants another take says so."""
    product.submit(TRACK)
    product.deliver()
    again = product.submit({**TRACK, "fresh": True})
    product.deliver()
    assert model_server.generations == 2
    assert product.job(again["id"])["cached"] is False


def test_another_owner_gets_an_answer_of_its_own(product: Product) -> None:
    """Results are shared within an owner unless the operator says otherwise."""
    product.submit(TRACK)
    product.deliver()
    assert product.post("/generate", TRACK, key="lp_bob_secret00").status == 202


def test_the_deployment_may_share_answers(product_with: Callable[..., Product], model_server: ModelServer) -> None:
    """cache = deployment."""
    product = product_with(cache="deployment")
    product.submit(TRACK)
    product.deliver()
    assert product.post("/generate", TRACK, key="lp_bob_secret00").status == 200


def test_equal_requests_in_flight_make_one_call(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """One leads, the others wait and say for whom."""
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
    """One failure is not everybody's."""
    model_server.fault("invalid", times=2)
    leader, follower = product.submit(TRACK), product.submit(TRACK)
    _run(product, clock)
    assert [product.job(job["id"])["status"] for job in (leader, follower)] == ["failed", "succeeded"]


def test_a_follower_takes_the_lead_when_its_leader_is_canceled(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """A leader that never started leaves nothing behind."""
    leader, follower = product.submit(TRACK), product.submit(TRACK)
    product.post(f"/jobs/{leader['id']}/cancel")
    _run(product, clock)
    assert [product.job(job["id"])["status"] for job in (leader, follower)] == ["canceled", "succeeded"]
    assert model_server.generations == 1


def test_an_answer_whose_file_is_gone_is_generated_anew(product: Product, model_server: ModelServer) -> None:
    """The entry is only a hint; the bucket decides."""
    first = product.submit(TRACK)
    product.deliver()
    for entry in product.aws.s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        product.aws.s3.delete_object(Bucket=BUCKET, Key=entry["Key"])
    again = product.submit(TRACK)
    product.deliver()
    assert product.job(again["id"])["status"] == "succeeded"
    assert (again["id"] != first["id"], model_server.generations) == (True, 2)


def test_the_cache_can_be_off(product_with: Callable[..., Product], model_server: ModelServer) -> None:
    """cache = off: every request is its own generation."""
    product = product_with(cache="off")
    for _ in range(2):
        product.submit(TRACK)
    while product.deliver():
        pass
    assert model_server.generations == 2
