"""Which way a job goes: around what is not served, refused or, if the operator wants that, busy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
import wiring

from local.stand_ins.model import ModelServer
from tests.harness.aws import Aws
from tests.harness.product import Product

TRACK = {"prompt": "calm acoustic guitar", "duration": 2}
PICTURE = {"prompt": "a red boat", "kind": "image"}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time that moves only when a test says so."""
    with time_machine.travel(time.time(), tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def two_accounts(product_with: Callable[..., Product], model_server: ModelServer) -> Callable[..., Product]:
    """The product with an endpoint of its own for music, and the router behind it."""
    url = f"{model_server.url}/hf-inference/models/{{model}}"

    def make(**settings: Any) -> Product:
        return product_with(servers={"musicgen-small": url, "router": url}, cache="off", **settings)

    return make


def _run(product: Product, clock: time_machine.Traveller, seconds: int) -> None:
    for _ in range(seconds // 10):
        product.sweep()
        product.deliver()
        clock.shift(10)


def _went(job: dict[str, Any]) -> list[tuple[str, str]]:
    return [(attempt["route"], attempt["outcome"]) for attempt in job["attempts"]]


@pytest.mark.parametrize(("fault", "why"), {"unauthorized": "auth", "credits": "credits", "gated": "forbidden"}.items())
def test_a_refused_account_is_gone_around(
    two_accounts: Callable[..., Product],
    model_server: ModelServer,
    clock: time_machine.Traveller,
    fault: str,
    why: str,
) -> None:
    """Nothing was charged, and another account may do it."""
    product = two_accounts()
    product.aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString='{"self_hosted": "s3cret"}')
    model_server.fault(fault, times=1)
    job = product.submit(TRACK)
    _run(product, clock, 30)
    assert _went(product.job(job["id"])) == [("endpoint", why), ("router", "succeeded")]


def test_jobs_behind_a_refused_account_go_around_it_too(
    two_accounts: Callable[..., Product], model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """Without a call that would be refused, and without a wait."""
    product = two_accounts()
    jobs = [product.submit({**TRACK, "prompt": f"guitar {n}"}) for n in range(3)]
    model_server.fault("unauthorized", times=1)
    _run(product, clock, 40)
    assert {product.job(job["id"])["served_by"] for job in jobs} == {"router"}
    assert len(model_server.requests) == 1 + 3


@pytest.mark.parametrize(("fault", "settings"), [("throttled", {"failover": "busy"}), ("unauthorized", {})])
def test_a_way_that_was_left_is_taken_again_where_the_other_leads_nowhere(
    two_accounts: Callable[..., Product],
    model_server: ModelServer,
    clock: time_machine.Traveller,
    fault: str,
    settings: dict[str, str],
) -> None:
    """A job is not lost because its second choice does not have the model."""
    product = two_accounts(**settings)
    model_server.fault(fault, times=1)
    model_server.fault("gone", times=1)
    job = product.submit(TRACK)
    _run(product, clock, 700)
    done = product.job(job["id"])
    assert (done["status"], done["served_by"]) == ("succeeded", "endpoint")


def test_a_new_token_ends_the_pause(
    product_with: Callable[..., Product], clock: time_machine.Traveller, aws: Aws
) -> None:
    """Within five minutes, and without a deployment."""
    with ModelServer(quick=True, token="thenewone") as server:
        product = product_with(servers={"*": f"{server.url}/models/{{model}}"})
        aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString='{"self_hosted": "theoldone"}')
        job = product.submit(TRACK)
        _run(product, clock, 60)
        assert product.job(job["id"])["wait"]["reason"] == "account_paused"
        aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString='{"self_hosted": "thenewone"}')
        _run(product, clock, 330)
        assert product.job(job["id"])["status"] == "succeeded"


def test_one_bad_token_burns_no_job(product: Product, model_server: ModelServer, clock: time_machine.Traveller) -> None:
    """The account is left alone; the jobs wait, say why, and go on once the token is a good one."""
    model_server.fault("unauthorized", times=None)
    jobs = [product.submit({**TRACK, "prompt": f"guitar {n}"}) for n in range(8)]
    _run(product, clock, 60)
    waiting = [product.job(job["id"]) for job in jobs]
    assert {(job["status"], job["wait"]["reason"]) for job in waiting} == {("queued", "account_paused")}
    assert "make token" in waiting[0]["wait"]["basis"]
    assert len(model_server.requests) == 1
    model_server.faults.clear()
    _run(product, clock, 600)
    assert {product.job(job["id"])["status"] for job in jobs} == {"succeeded"}
    assert model_server.generations == 8


def test_an_account_that_stays_refused_is_asked_every_five_minutes(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """And a job that waits for it in vain says why it failed."""
    model_server.fault("credits", times=None)
    job = product.submit({**TRACK, "deadline_seconds": 1_200})
    _run(product, clock, 1_300)
    failed = product.job(job["id"])
    assert (failed["status"], failed["error"]["code"], failed["error"]["charged"]) == ("failed", "credits", "no")
    assert "credits" in failed["error"]["message"]
    assert 3 <= len(model_server.requests) <= 4


def test_a_refused_account_is_told_to_the_log(
    product: Product, model_server: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    """In the words that the alarm looks for."""
    model_server.fault("unauthorized", times=1)
    product.submit(TRACK)
    product.deliver()
    said = [vars(record)["outcome"] for record in caplog.records if record.message == "step"]
    assert said == ["account refused (auth), waits: account_paused"]


def test_a_model_that_is_forbidden_closes_no_other(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """A license that is not accepted is no fault of the token."""
    model_server.fault("gated", prompt="guitar", times=None)
    product.aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString='{"self_hosted": "s3cret"}')
    product.submit(TRACK)
    product.deliver()
    image = product.submit(PICTURE)
    _run(product, clock, 20)
    assert product.job(image["id"])["status"] == "succeeded"


def test_what_is_not_served_is_remembered_for_an_hour(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """The next job does not try it, in whichever container; a later one does."""
    went = []
    for pause, gone in ((0, 1), (120, 0), (3_600, 1)):
        clock.shift(pause)
        wiring.dependencies.cache_clear()
        model_server.fault("gone", times=gone)
        job = product.submit({**TRACK, "fresh": True})
        _run(product, clock, 20)
        went.append([route for route, _ in _went(product.job(job["id"]))])
    assert went == [["endpoint", "router"], ["router"], ["endpoint", "router"]]


def test_a_busy_route_is_waited_for_unless_the_operator_says_otherwise(
    two_accounts: Callable[..., Product], model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """The first route is the one the operator prefers."""
    went = {}
    for policy in ("unserved", "busy"):
        model_server.fault("throttled", retry_after=60, times=1)
        product = two_accounts(failover=policy)
        job = product.submit({**TRACK, "prompt": policy})
        _run(product, clock, 120)
        went[policy] = _went(product.job(job["id"]))
    assert went["unserved"] == [("endpoint", "throttled"), ("endpoint", "succeeded")]
    assert went["busy"] == [("endpoint", "throttled"), ("router", "succeeded")]


def test_no_route_is_taken_after_a_charge_the_caller_did_not_allow(
    two_accounts: Callable[..., Product], model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """A fault may have come after the work: with `max_charges` 1 nothing is called again."""
    product = two_accounts(failover="busy")
    model_server.fault("server_error", times=1)
    job = product.submit({**TRACK, "max_charges": 1})
    _run(product, clock, 120)
    failed = product.job(job["id"])
    assert (failed["status"], _went(failed), failed["error"]["charged"]) == (
        "failed",
        [("endpoint", "upstream")],
        "unknown",
    )


def test_the_dearest_route_is_what_is_held_and_told(
    product_with: Callable[..., Product], model_server: ModelServer
) -> None:
    """A job that changes its way cannot exceed what its budget held."""
    product = product_with(owner_caps={"usd": 1})
    job = product.submit({"prompt": "a calm sea", "model": "wan-2.2-5b", "max_charges": 2})
    item = product.aws.dynamodb.get_item(TableName="jobs", Key={"pk": {"S": f"job#{job['id']}"}})["Item"]
    assert job["cost"]["possible_usd"] == pytest.approx(int(item["hold"]["N"]) / 1_000_000)
    assert job["cost"]["possible_usd"] >= 2 * job["cost"]["estimated_usd"]


def test_what_the_route_cannot_honor_is_said_in_the_job(product_with: Callable[..., Product]) -> None:
    """Of what was asked for; a default nobody asked for is no news."""
    product = product_with(servers={"replicate": "https://api.replicate.com"})
    video = {"prompt": "a calm sea", "model": "wan-2.2-5b", "guidance_scale": 7, "duration": 4, "height": 480}
    assert product.submit(video)["not_honored"] == {"guidance_scale": "ignored", "duration": "approximated"}
    assert "not_honored" not in product.submit({"prompt": "a calm sea", "model": "wan-2.2-5b"})


def test_a_deployment_for_commerce_offers_no_other_models(product_with: Callable[..., Product]) -> None:
    """What is asked for by name is refused with a choice; what is asked for by kind is another model."""
    product = product_with(commercial_only=True)
    refused = product.post("/generate", {"prompt": "calm guitar", "model": "facebook/musicgen-small"})
    assert (refused.status, refused.json["field"]) == (400, "model")
    assert "license" in refused.json["detail"]
    assert "musicgen" not in refused.json["detail"].partition("Choose one of")[2]
    assert product.submit(PICTURE)["license"]["commercial"] is True
