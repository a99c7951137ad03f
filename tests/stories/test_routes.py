"""Routes of a job: it leaves a route that is not served or refused, and a busy one if the operator wants that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
import wiring

from local.stand_ins.model import ModelServer
from local.stand_ins.replicate import ReplicateServer
from tests.harness.aws import Aws
from tests.harness.product import Product

TRACK = {"prompt": "calm acoustic guitar", "duration": 2}
IMAGE = {"prompt": "a red boat", "kind": "image"}


@pytest.fixture
def two_accounts(product_with: Callable[..., Product], model_server: ModelServer) -> Callable[..., Product]:
    """Makes the product with an endpoint for music as the first route, and the router as the second."""
    url = f"{model_server.url}/hf-inference/models/{{model}}"

    def make(**settings: Any) -> Product:
        return product_with(servers={"musicgen-small": url, "router": url}, cache="off", **settings)

    return make


def _store_token(product: Product) -> None:
    """Store a token for the servers, so that a refusal is about it."""
    product.aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString='{"self_hosted": "s3cret"}')


def _run(product: Product, clock: time_machine.Traveller, seconds: int) -> None:
    for _ in range(seconds // 10):
        product.sweep()
        product.deliver()
        clock.shift(10)


def _outcomes(job: dict[str, Any]) -> list[tuple[str, str]]:
    """The route and the outcome of each attempt."""
    return [(attempt["route"], attempt["outcome"]) for attempt in job["attempts"]]


@pytest.mark.parametrize(("fault", "why"), {"unauthorized": "auth", "credits": "credits", "gated": "forbidden"}.items())
def test_a_job_leaves_a_refused_account(
    two_accounts: Callable[..., Product],
    model_server: ModelServer,
    clock: time_machine.Traveller,
    fault: str,
    why: str,
) -> None:
    """If one account is refused, the job succeeds by the route of another account."""
    product = two_accounts()
    _store_token(product)
    model_server.fault(fault, times=1)
    job = product.submit(TRACK)
    _run(product, clock, 30)
    assert _outcomes(product.job(job["id"])) == [("endpoint", why), ("router", "succeeded")]


def test_a_route_that_is_the_same_call_as_a_closed_one_is_closed_too(
    product_with: Callable[..., Product], model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """With one server for all models, no job asks it by another name for a model that it does not know."""
    model_server.fault("unknown_model", times=None)
    with ReplicateServer(quick=True) as replicate:
        product = product_with(servers={"*": f"{model_server.url}/models/{{model}}", "replicate": replicate.url})
        jobs = [product.submit({**TRACK, "model": "musicgen-large", "prompt": "first"})]
        _run(product, clock, 60)
        jobs.append(product.submit({**TRACK, "model": "musicgen-large", "prompt": "second"}))
        _run(product, clock, 60)
        assert [product.job(job["id"])["served_by"] for job in jobs] == ["replicate", "replicate"]
    assert len(model_server.requests) == 1


def test_one_refusal_moves_every_job_of_the_account(
    two_accounts: Callable[..., Product], model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """After one refused call, the other jobs go to the next route without a call to the first."""
    product = two_accounts()
    _store_token(product)
    jobs = [product.submit({**TRACK, "prompt": f"guitar {n}"}) for n in range(3)]
    model_server.fault("unauthorized", times=1)
    _run(product, clock, 40)
    assert {product.job(job["id"])["served_by"] for job in jobs} == {"router"}
    assert len(model_server.requests) == 1 + 3


def test_a_job_that_leaves_an_account_without_a_call_gives_its_start_back(
    two_accounts: Callable[..., Product], model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """Of two reserved starts one was made, and was refused; the other job went by the next route."""
    product = two_accounts(limits={"musicgen-small": {"windows": [[1, 60]]}})
    _store_token(product)
    jobs = [product.submit({**TRACK, "prompt": f"guitar {n}"}) for n in range(2)]
    model_server.fault("unauthorized", times=1)
    _run(product, clock, 120)
    assert {product.job(job["id"])["served_by"] for job in jobs} == {"router"}
    assert len(wiring.dependencies()._limiter.line("musicgen-small").log) == 1


@pytest.mark.parametrize(("fault", "settings"), [("throttled", {"failover": "busy"}), ("unauthorized", {})])
def test_a_job_returns_to_its_first_route_if_the_second_does_not_serve_it(
    two_accounts: Callable[..., Product],
    model_server: ModelServer,
    clock: time_machine.Traveller,
    fault: str,
    settings: dict[str, str],
) -> None:
    """A job that left its first route succeeds there later if the second route does not serve the model."""
    product = two_accounts(**settings)
    _store_token(product)
    model_server.fault(fault, times=1)
    model_server.fault("gone", times=1)
    job = product.submit(TRACK)
    _run(product, clock, 700)
    done = product.job(job["id"])
    assert (done["status"], done["served_by"]) == ("succeeded", "endpoint")


def test_a_new_token_ends_the_pause(
    product_with: Callable[..., Product], clock: time_machine.Traveller, aws: Aws
) -> None:
    """A new token in the secret is used within five minutes, without a deployment."""
    with ModelServer(quick=True, token="thenewone") as server:
        product = product_with(servers={"*": f"{server.url}/models/{{model}}"})
        aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString='{"self_hosted": "theoldone"}')
        job = product.submit(TRACK)
        _run(product, clock, 60)
        assert product.job(job["id"])["wait"]["reason"] == "account_paused"
        aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString='{"self_hosted": "thenewone"}')
        _run(product, clock, 330)
        assert product.job(job["id"])["status"] == "succeeded"


def test_a_refused_token_fails_no_job(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    """After one refused call all jobs wait and say why, and they succeed when the token is valid again."""
    model_server.fault("unauthorized", times=None)
    _store_token(product)
    jobs = [product.submit({**TRACK, "prompt": f"guitar {n}"}) for n in range(8)]
    _run(product, clock, 60)
    waiting = [product.job(job["id"]) for job in jobs]
    assert {(job["status"], job["wait"]["reason"]) for job in waiting} == {("queued", "account_paused")}
    assert all("refuses this deployment's access" in job["wait"]["basis"] for job in waiting)
    assert "make token" in caplog.text
    assert len(model_server.requests) == 1
    model_server.faults.clear()
    _run(product, clock, 600)
    assert {product.job(job["id"])["status"] for job in jobs} == {"succeeded"}
    assert model_server.generations == 8


def test_a_refused_account_is_called_every_five_minutes(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """The account gets a call every five minutes, and a job that fails in the end names the reason."""
    model_server.fault("credits", times=None)
    _store_token(product)
    job = product.submit({**TRACK, "deadline_seconds": 1_200})
    _run(product, clock, 1_300)
    failed = product.job(job["id"])
    assert (failed["status"], failed["error"]["code"], failed["error"]["charged"]) == ("failed", "credits", "no")
    assert "refuses this deployment's access. It cost nothing." in failed["error"]["message"]
    assert 3 <= len(model_server.requests) <= 4


def test_a_refused_account_is_logged(
    product: Product, model_server: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The log line has the words that the alarm looks for."""
    model_server.fault("unauthorized", times=1)
    _store_token(product)
    product.submit(TRACK)
    product.deliver()
    said = [vars(record)["outcome"] for record in caplog.records if record.message == "step"]
    assert said == ["account refused (auth), waits: account_paused"]


def _one_server(server: ModelServer) -> dict[str, str]:
    return {"*": f"{server.url}/hf-inference/models/{{model}}"}


def _two_servers(server: ModelServer) -> dict[str, str]:
    return {"router": f"{server.url}/hf-inference/models/{{model}}", **_one_server(server)}


@pytest.mark.parametrize("fault", ["unauthorized", "credits", "forbidden", "gated"])
@pytest.mark.parametrize("servers", [_one_server, _two_servers])
def test_a_refusal_at_a_server_without_a_token_concerns_its_own_job(
    product_with: Callable[..., Product],
    model_server: ModelServer,
    clock: time_machine.Traveller,
    fault: str,
    servers: Callable[[ModelServer], dict[str, str]],
) -> None:
    """One prompt is refused each time: its job fails at the second refusal, and the jobs of others succeed."""
    product = product_with(servers=servers(model_server))
    model_server.fault(fault, prompt="poison", times=None)
    job = product.submit({**TRACK, "prompt": "a poison prompt"})
    product.deliver()
    others = [product.submit(body) for body in (IMAGE, TRACK)]
    _run(product, clock, 30)
    assert {product.job(other["id"])["status"] for other in others} == {"succeeded"}
    _run(product, clock, 100)
    failed = product.job(job["id"])
    assert (failed["status"], failed["error"]["code"], failed["error"]["charged"]) == ("failed", "refused", "no")
    assert len(model_server.requests) == 2 + len(others)


def test_no_owner_reads_the_answer_to_a_call_of_another(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """While the account is refused, the job of another owner says why in our words, without the provider's answer."""
    _store_token(product)
    model_server.fault("unauthorized", times=1)
    mine = product.submit(TRACK)
    product.deliver()
    other = product.post("/generate", IMAGE, key="lp_bob_secret00").json
    product.deliver()
    said = product.job(mine["id"])["wait"]["basis"]
    read = product.get(f"/jobs/{other['id']}", key="lp_bob_secret00").json["wait"]
    assert read["reason"] == "account_paused"
    for basis in (said, read["basis"]):
        assert "refuses this deployment's access" in basis
        assert not any(word in basis for word in ("Invalid credentials", "musicgen", "127.0.0.1"))


def test_a_forbidden_model_does_not_pause_its_account(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """If the license of one model is not accepted, other models of the same account still work."""
    model_server.fault("gated", prompt="guitar", times=None)
    _store_token(product)
    product.submit(TRACK)
    product.deliver()
    image = product.submit(IMAGE)
    _run(product, clock, 20)
    assert product.job(image["id"])["status"] == "succeeded"


@pytest.mark.parametrize("fault", ["gone", "invalid", "not_supported", "unknown_model"])
def test_one_server_for_all_models_is_asked_once(product: Product, model_server: ModelServer, fault: str) -> None:
    """The routes `endpoint` and `router` then are the same call."""
    model_server.fault(fault, times=None)
    job = product.submit(TRACK)
    while product.deliver():
        pass
    assert product.job(job["id"])["status"] == "failed"
    assert len(model_server.requests) == 1


def test_a_route_that_is_not_served_is_left_out_for_an_hour(
    two_accounts: Callable[..., Product], model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """Within an hour, jobs in every container skip the route; a job after that tries it again."""
    product, routes = two_accounts(), []
    for pause, gone in ((0, 1), (120, 0), (3_600, 1)):
        clock.shift(pause)
        wiring.dependencies.cache_clear()
        model_server.fault("gone", times=gone)
        job = product.submit({**TRACK, "fresh": True})
        _run(product, clock, 20)
        routes.append([route for route, _ in _outcomes(product.job(job["id"]))])
    assert routes == [["endpoint", "router"], ["router"], ["endpoint", "router"]]


def test_a_job_leaves_a_busy_route_only_with_failover_busy(
    two_accounts: Callable[..., Product], model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """A throttled job waits for its route with `failover` set to `unserved`, and leaves it with `busy`."""
    outcomes = {}
    for policy in ("unserved", "busy"):
        model_server.fault("throttled", retry_after=60, times=1)
        product = two_accounts(failover=policy)
        job = product.submit({**TRACK, "prompt": policy})
        _run(product, clock, 120)
        outcomes[policy] = _outcomes(product.job(job["id"]))
    assert outcomes["unserved"] == [("endpoint", "throttled"), ("endpoint", "succeeded")]
    assert outcomes["busy"] == [("endpoint", "throttled"), ("router", "succeeded")]


def test_no_other_route_is_called_beyond_max_charges(
    two_accounts: Callable[..., Product], model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """A failed call may have been charged, so with `max_charges` 1 the job fails and calls no other route."""
    product = two_accounts(failover="busy")
    model_server.fault("server_error", times=1)
    job = product.submit({**TRACK, "max_charges": 1})
    _run(product, clock, 120)
    failed = product.job(job["id"])
    assert (failed["status"], _outcomes(failed), failed["error"]["charged"]) == (
        "failed",
        [("endpoint", "upstream")],
        "unknown",
    )


def test_the_most_expensive_route_is_reserved_and_shown(product_with: Callable[..., Product]) -> None:
    """A failover never costs more than is reserved, although the first route is cheaper."""
    servers = {"inference-providers": "http://127.0.0.1:1", "router": "http://127.0.0.1:1/{model}"}
    product = product_with(servers=servers, owner_caps={"usd": 1})
    job = product.submit({"prompt": "a red boat", "model": "stable-diffusion-xl", "max_charges": 2})
    item = product.aws.dynamodb.get_item(TableName="jobs", Key={"pk": {"S": f"job#{job['id']}"}})["Item"]
    assert (job["cost"]["estimated_usd"], job["cost"]["possible_usd"]) == (0.003, 2 * 0.006)
    assert job["cost"]["possible_usd"] == pytest.approx(int(item["hold"]["N"]) / 1_000_000)


def test_a_job_names_the_parameters_that_its_route_cannot_honor(product_with: Callable[..., Product]) -> None:
    """Only parameters of the request are listed, not defaults."""
    product = product_with(servers={"replicate": "https://api.replicate.com"})
    video = {"prompt": "a calm sea", "model": "wan-2.2-5b", "guidance_scale": 7, "duration": 4, "height": 480}
    assert product.submit(video)["not_honored"] == {"guidance_scale": "ignored", "duration": "approximated"}
    assert "not_honored" not in product.submit({"prompt": "a calm sea", "model": "wan-2.2-5b"})


def test_a_commercial_deployment_refuses_other_models(product_with: Callable[..., Product]) -> None:
    """A model without a commercial license is refused with a choice, and a kind gets a model that has one."""
    product = product_with(commercial_only=True)
    refused = product.post("/generate", {"prompt": "calm guitar", "model": "facebook/musicgen-small"})
    assert (refused.status, refused.json["field"]) == (400, "model")
    assert "license" in refused.json["detail"]
    assert "musicgen" not in refused.json["detail"].partition("Choose one of")[2]
    assert product.submit(IMAGE)["license"]["commercial"] is True
