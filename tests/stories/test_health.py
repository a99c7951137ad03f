"""GET /health: the doctor checks every model at no charge, and the report shows callers no secret."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine

from local.stand_ins.fal import FalServer
from local.stand_ins.hub import HubServer
from local.stand_ins.model import ModelServer
from local.stand_ins.replicate import ReplicateServer
from local.stand_ins.sagemaker import SageMakerServer
from tests.harness.aws import BUCKET, Aws
from tests.harness.product import Product

TOKEN = "r8_AbCdEfGh0123456789"
KEY = "key-id:key-secret"
HF_TOKEN = "hf_AbCdEfGh0123456789"


@pytest.fixture
def fal() -> Iterator[FalServer]:
    """fal's stand-in, which refuses every key but this one."""
    with FalServer(quick=True, token=KEY) as server:
        yield server


@pytest.fixture
def hub() -> Iterator[HubServer]:
    """The stand-in for Hugging Face's Hub and router, which refuses every token but this one."""
    with HubServer(quick=True, token=HF_TOKEN) as server:
        yield server


@pytest.fixture
def sagemaker(aws: Aws) -> Iterator[SageMakerServer]:
    """SageMaker's stand-in with one endpoint."""
    endpoints = {"longplay-musicgen-small": "musicgen"}
    with SageMakerServer(aws.s3, bucket=BUCKET, endpoints=endpoints, quick=True) as server:
        yield server


@pytest.fixture
def replicate() -> Iterator[ReplicateServer]:
    """Replicate's stand-in, which refuses every token but this one."""
    with ReplicateServer(quick=True, token=TOKEN) as server:
        yield server


def _route(found: list[dict[str, Any]], model: str, route: str) -> dict[str, Any]:
    """The doctor's report about this route."""
    return next(entry for entry in found if (entry["model"], entry["route"]) == (model, route))


def _store(product: Product, **tokens: str) -> None:
    product.aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString=json.dumps(tokens))


def test_before_the_first_round_the_models_are_unchecked(product: Product) -> None:
    """Without a report the status is `unchecked` and no model is listed."""
    answer = product.get("/health")
    assert (answer.status, answer.json) == (200, {"status": "unchecked", "models": {}})


def test_every_model_works_if_one_server_serves_all(product: Product, model_server: ModelServer) -> None:
    """The status is `ok`, every model that is set up works, and the round has started no generation."""
    offered = {route["model"] for route in product.examine() if route["set_up"]}
    health = product.get("/health").json
    assert health["status"] == "ok"
    assert {health["models"][name]["works"] for name in offered} == {"yes"}
    assert model_server.generations == 0


def test_models_of_a_server_that_is_down_do_not_work(product_with: Callable[..., Product]) -> None:
    """If the only server is down, the status is `down` and each route says why."""
    with ModelServer(quick=True) as stopped:
        url = stopped.url
    product = product_with(servers={"*": url + "/models/{model}"})
    product.examine()
    health = product.get("/health").json
    assert health["status"] == "down"
    routes = health["models"]["musicgen-small"]["routes"]
    assert {"route": "endpoint", "works": "no", "why": "the model is not served there now"} in routes


def test_a_model_without_a_server_is_not_a_fault(
    product_with: Callable[..., Product], model_server: ModelServer
) -> None:
    """A model that is not set up is reported so, and the status is still `ok`."""
    product = product_with(servers={"musicgen-small": f"{model_server.url}/models/{{model}}"})
    product.examine()
    health = product.get("/health").json
    assert (health["status"], health["models"]["musicgen-small"]["works"]) == ("ok", "yes")
    other = health["models"]["stable-diffusion-v1-5"]
    assert (other["works"], other["routes"][0]["why"]) == ("no", "not set up on this deployment")


def test_the_status_is_degraded_if_some_models_do_not_work(
    product_with: Callable[..., Product], model_server: ModelServer
) -> None:
    """If one of two models that are set up works, the status is `degraded`."""
    with ModelServer(quick=True) as stopped:
        servers = {"musicgen-small": model_server.url, "musicgen-large": stopped.url}
    product = product_with(servers=servers)
    product.examine()
    assert product.get("/health").json["status"] == "degraded"


def test_the_status_is_down_if_nothing_is_set_up(product_with: Callable[..., Product]) -> None:
    """A deployment without servers is `down`."""
    product = product_with(servers={})
    product.examine()
    assert product.get("/health").json["status"] == "down"


@pytest.mark.parametrize(
    ("tokens", "works", "why"),
    [
        ({"replicate": TOKEN}, "yes", None),
        ({"replicate": "r8_another_token"}, "no", "the token is refused"),
        ({"replicate": "two words"}, "no", "no token is stored"),
    ],
)
def test_a_route_works_only_with_a_valid_token(
    product_with: Callable[..., Product], replicate: ReplicateServer, tokens: dict[str, str], works: str, why: str
) -> None:
    """The routes of a provider work if its token is accepted; otherwise the report says why not."""
    product = product_with(servers={"replicate": replicate.url})
    _store(product, **tokens)
    product.examine()
    routes = product.get("/health").json["models"]["musicgen-large"]["routes"]
    route = next(route for route in routes if route["route"] == "replicate")
    assert (route["works"], route.get("why")) == (works, why)


def test_no_report_quotes_a_token(product_with: Callable[..., Product], replicate: ReplicateServer) -> None:
    """A refused token is neither in the doctor's report nor in GET /health."""
    product = product_with(servers={"replicate": replicate.url})
    _store(product, replicate="r8_another_token")
    found = product.examine()
    assert "r8_another" not in json.dumps(found) + product.get("/health").body


def test_callers_do_not_see_the_advice_for_the_operator(product_with: Callable[..., Product]) -> None:
    """The doctor's report has advice for the operator; GET /health leaves it out."""
    product = product_with(servers={})
    assert "servers" in _route(product.examine(), "musicgen-small", "endpoint")["advice"]
    assert "servers" not in product.get("/health").body


def test_the_limit_of_an_account_is_found(product_with: Callable[..., Product], model_server: ModelServer) -> None:
    """A server without a limit works, and the doctor advises the operator to set one."""
    servers = {"*": f"{model_server.url}/models/{{model}}"}
    unlimited = product_with(servers=servers).examine()
    limited = product_with(servers=servers, limits={"*": {"windows": [[1, 2]]}}).examine()
    routes = [_route(found, "musicgen-small", "endpoint") for found in (unlimited, limited)]
    assert [(route["works"], route["findings"]["limit"]) for route in routes] == [("yes", "no"), ("yes", "yes")]
    assert [bool(route["advice"]) for route in routes] == [True, False]


def test_an_unusable_address_is_found(product_with: Callable[..., Product]) -> None:
    """An address that is not https is a finding with advice."""
    found = _route(product_with(servers={"*": "http://gpu.example.com/"}).examine(), "musicgen-small", "endpoint")
    assert found["findings"]["server"] == "no"
    assert "not https" in found["advice"]


def test_each_provider_is_checked_and_bills_nothing(
    product_with: Callable[..., Product],
    model_server: ModelServer,
    replicate: ReplicateServer,
    fal: FalServer,
    hub: HubServer,
    sagemaker: SageMakerServer,
) -> None:
    """Every route that is set up works, and no stand-in has made a generation."""
    servers = {
        "*": f"{model_server.url}/models/{{model}}",
        "replicate": replicate.url,
        "fal": fal.url,
        "inference-providers": hub.url,
        "sagemaker-musicgen-small": f"{sagemaker.url}/endpoints/longplay-musicgen-small",
    }
    product = product_with(servers=servers)
    _store(product, replicate=TOKEN, fal=KEY, huggingface=HF_TOKEN)
    found = [route for route in product.examine() if route["set_up"]]
    broken = [(route["model"], route["route"], route["advice"]) for route in found if route["works"] != "yes"]
    assert broken == []
    assert {route["provider"] for route in found} >= {"huggingface", "replicate", "fal", "sagemaker", "hf-nscale"}
    generated = [server.generations for server in (model_server, replicate, fal, hub, sagemaker)]
    assert generated == [0] * 5


def test_the_report_gives_the_time_of_the_last_round(product: Product) -> None:
    """After two rounds, `checked_at` is the time of the second."""
    with time_machine.travel("2026-11-20T08:00:00Z", tick=False) as clock:
        product.examine()
        clock.shift(3600)
        product.examine()
        clock.shift(60)
        assert product.get("/health").json["checked_at"] == "2026-11-20T09:00:00.000Z"


def test_a_round_that_began_earlier_does_not_replace_a_later_one(product: Product) -> None:
    """The report of a slow round is dropped if a newer one is kept."""
    with time_machine.travel("2026-11-20T09:00:00Z", tick=False) as clock:
        product.examine()
        clock.shift(-3600)
        product.examine()
        assert product.get("/health").json["checked_at"] == "2026-11-20T09:00:00.000Z"


def test_secrets_that_cannot_be_read_are_found_and_not_quoted(
    product_with: Callable[..., Product], replicate: ReplicateServer
) -> None:
    """A secret that is not JSON is a finding, and its text is not in the report."""
    product = product_with(servers={"replicate": replicate.url})
    product.aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString="r8_not_json")
    found = _route(product.examine(), "musicgen-large", "replicate")
    assert (found["works"], found["findings"]["token"]) == ("no", "no")
    assert "r8_not_json" not in json.dumps(found)


def test_an_old_report_is_stale(product: Product) -> None:
    """Four hours after the last round, the status is `stale`."""
    product.examine()
    with time_machine.travel(time.time() + 4 * 3_600, tick=False):
        assert product.get("/health").json["status"] == "stale"


def test_the_doctor_shows_routes_that_jobs_do_not_use(
    product_with: Callable[..., Product], model_server: ModelServer
) -> None:
    """A route that a job found not served is a no, with the time until which it is closed, and why."""
    product = product_with(servers={"*": f"{model_server.url}/models/{{model}}"})
    assert _route(product.examine(), "musicgen-small", "endpoint")["works"] == "yes"
    model_server.fault("gone")
    product.submit({"prompt": "calm", "duration": 2})
    product.deliver()
    found = _route(product.examine(), "musicgen-small", "endpoint")
    assert (found["works"], found["findings"]["open"]) == ("no", "no")
    assert re.search(r"until \d\d:\d\d UTC.*no longer supported", found["advice"])
    assert "no longer supported" not in product.get("/health").body


def test_a_new_token_is_found_at_once(product_with: Callable[..., Product], replicate: ReplicateServer) -> None:
    """The doctor reads the tokens again in each round, although jobs keep them for five minutes."""
    product = product_with(servers={"replicate": replicate.url})
    _store(product, replicate="r8_another_token")
    assert _route(product.examine(), "musicgen-large", "replicate")["works"] == "no"
    _store(product, replicate=TOKEN)
    assert _route(product.examine(), "musicgen-large", "replicate")["works"] == "yes"


def test_an_account_that_is_accepted_again_is_not_yet_open(
    product_with: Callable[..., Product], replicate: ReplicateServer
) -> None:
    """Jobs still wait for the end of its pause; the doctor says until when, and does not call it broken."""
    product = product_with(servers={"replicate": replicate.url})
    _store(product, replicate="r8_another_token")
    product.submit({"prompt": "calm", "model": "musicgen-large", "duration": 2})
    product.deliver()
    _store(product, replicate=TOKEN)
    found = _route(product.examine(), "musicgen-large", "replicate")
    assert (found["works"], found["findings"]["open"]) == ("unknown", "unknown")
    assert "the token was refused" in found["advice"]
