"""GET /models lists the models of this deployment with their parameters, prices and licenses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import time_machine
import wiring

from local.run.model_source import model_source
from local.stand_ins.hub import HubServer
from tests.harness.product import Product
from tests.stories.actions import run


@pytest.fixture
def deployment(product: Product, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Product]:
    """Makes the product with these settings alone: without any, it has the servers of a new deployment."""

    def make(**settings: Any) -> Product:
        monkeypatch.setenv("SETTINGS", json.dumps(settings))
        wiring.dependencies.cache_clear()
        return product

    return make


def _models(product: Product) -> dict[str, dict[str, Any]]:
    answer = product.get("/models")
    assert answer.status == 200
    return {model["id"]: model for model in answer.json["models"]}


def test_each_model_shows_its_bounds_its_price_and_its_license(product: Product) -> None:
    """The values are those of the catalogue."""
    music = _models(product)["musicgen-small"]
    assert music["default"]
    assert "facebook/musicgen-small" in music["aliases"]
    assert music["parameters"]["duration"] == {"type": "number", "default": 10, "minimum": 1, "maximum": 30}
    assert music["license"]["name"] == "CC-BY-NC-4.0"
    assert all(route["estimated_usd"] > 0 and route["read"] > "2025" for route in music["routes"])


def test_a_model_says_how_long_a_new_job_would_wait(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """Not at all at first; then for the next start that its account allows, or for a worker behind those that wait."""
    product = product_with(limits={"*": {"windows": [[1, 60]]}}, cache="off")
    assert _models(product)["musicgen-small"]["wait_seconds"] == 0
    product.submit({"prompt": "a", "duration": 1})
    clock.shift(10)
    assert 45 <= _models(product)["musicgen-small"]["wait_seconds"] <= 51
    product = product_with(concurrent_calls=2, cache="off")
    for number in range(5):
        product.submit({"prompt": f"song {number}", "duration": 1})
    assert _models(product)["musicgen-small"]["wait_seconds"] > 10


def test_only_routes_that_are_set_up_are_listed(product_with: Callable[..., Product]) -> None:
    """A model without such a route is listed as unavailable."""
    models = _models(product_with(servers={"replicate": "https://api.replicate.com"}))
    assert [route["name"] for route in models["musicgen-large"]["routes"]] == ["replicate"]
    assert (models["musicgen-large"]["available"], models["musicgen-small"]["available"]) == (True, False)


def test_a_commercial_deployment_lists_only_models_for_commercial_use(product_with: Callable[..., Product]) -> None:
    """With `commercial_only`, every listed license allows commercial use."""
    models = _models(product_with(commercial_only=True))
    assert models
    assert all(model["license"]["commercial"] for model in models.values())


@pytest.mark.parametrize(
    ("servers", "kind", "model"),
    [
        ({"*": "http://127.0.0.1:1/{model}"}, "image", "stable-diffusion-v1-5"),
        ({"inference-providers": "https://router.huggingface.co"}, "image", "stable-diffusion-xl"),
        ({"replicate": "https://api.replicate.com"}, "music", "musicgen-large"),
        ({"fal": "https://queue.fal.run"}, "music", "stable-audio"),
    ],
)
def test_a_request_by_kind_gets_a_model_with_a_route(
    product_with: Callable[..., Product], servers: dict[str, str], kind: str, model: str
) -> None:
    """The default model is chosen if it is served here; otherwise one that is."""
    assert product_with(servers=servers).submit({"prompt": "calm guitar", "kind": kind})["model"] == model


HUGGING_FACE: dict[str, Any] = {}  # the servers of a deployment that names none
IMAGES = {"servers": {"flux-schnell": "http://127.0.0.1:1/"}}
DEFAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "one server for all": ({"servers": {"*": "http://127.0.0.1:1/{model}"}}, "musicgen-small"),
    "Hugging Face's token alone": (HUGGING_FACE, "stable-audio"),
    "Replicate": ({"servers": {"replicate": "https://api.replicate.com"}}, "musicgen-large"),
    "fal, for commercial use": ({"servers": {"fal": "https://queue.fal.run"}, "commercial_only": True}, "stable-audio"),
    "one endpoint for images": (IMAGES, "flux-schnell"),
    "one endpoint for videos": ({"servers": {"wan-2.2-5b": "http://127.0.0.1:1/"}}, "wan-2.2-5b"),
}


@pytest.mark.parametrize(("settings", "model"), DEFAULTS.values(), ids=DEFAULTS.keys())
def test_a_prompt_alone_gets_a_model_that_is_served_here(
    deployment: Callable[..., Product], settings: dict[str, Any], model: str
) -> None:
    """Kind and model are chosen among those with a route that is set up and served."""
    assert deployment(**settings).submit({"prompt": "a calm sea"})["model"] == model


def test_a_kind_that_is_not_served_says_what_to_set_up(deployment: Callable[..., Product]) -> None:
    """With one endpoint for images there is no music: the answer names models that work, and servers to set up."""
    answer = deployment(**IMAGES).post("/generate", {"prompt": "calm guitar", "kind": "music"})
    assert (answer.status, answer.json["code"], answer.json["retryable"]) == (404, "model_unavailable", False)
    served, _, setup = answer.json["detail"].partition("set up")
    assert "flux-schnell" in served
    assert "musicgen" not in served
    assert all(server in setup for server in ("replicate", "fal", "musicgen-small", "gpu"))
    assert "router" not in setup


@pytest.mark.parametrize("body", [{"prompt": "x"}, {"prompt": "x", "kind": "video"}, {"prompt": "x", "model": "flux"}])
def test_a_deployment_that_serves_nothing_says_what_to_set_up(
    deployment: Callable[..., Product], body: dict[str, str]
) -> None:
    """Where no route can work, waiting does not help: the answer is 404, not a 5xx that clients repeat."""
    router = "https://router.huggingface.co/hf-inference/models/{model}"
    answer = deployment(servers={"router": router}).post("/generate", body)
    assert (answer.status, answer.json["code"], answer.json["charged"]) == (404, "model_unavailable", "no")
    assert "fal" in answer.json["detail"].partition("set up")[2]


def test_a_kind_without_a_commercial_model_is_not_available(deployment: Callable[..., Product]) -> None:
    """Models that the operator does not offer are not named as what could be set up."""
    answer = deployment(**IMAGES, commercial_only=True).post("/generate", {"prompt": "x", "kind": "music"})
    assert (answer.status, "musicgen" in answer.json["detail"]) == (404, False)


def test_a_model_that_may_be_served_again_is_tried_if_it_is_named(deployment: Callable[..., Product]) -> None:
    """A doubtful route is never chosen for a caller, and is used by one who names the model."""
    assert deployment().submit({"prompt": "x", "model": "musicgen-small"})["model"] == "musicgen-small"


def test_the_models_that_are_listed_as_defaults_are_served(deployment: Callable[..., Product]) -> None:
    """With Hugging Face's token alone, each kind has a default."""
    defaults = [name for name, model in _models(deployment()).items() if model["default"]]
    assert defaults == ["stable-audio", "stable-diffusion-xl", "wan-2.2-5b"]


def test_the_first_request_of_the_readme_works_with_hugging_face_alone(
    deployment: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """It ends with a file on the servers of a new deployment, where the Hub names the partners that it names today."""
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    first = re.search(r"POST \$ENDPOINT/generate [^{]*'({[^']*})'", readme)
    assert first
    with HubServer(quick=True, token="hf_x") as hub:
        router = f"{hub.url}/hf-inference/models/{{model}}"
        product = deployment(servers={"router": router, "inference-providers": hub.url})
        product.aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString='{"huggingface": "hf_x"}')
        job = product.submit(json.loads(first[1]))
        run(product, clock, 60)
        assert product.job(job["id"])["status"] == "succeeded"


def test_a_local_run_with_hugging_face_asks_for_what_is_served(deployment: Callable[..., Product]) -> None:
    """`HF_TOKEN=… make run` asks only for models with a route that is served."""
    product = deployment()
    with model_source({"HF_TOKEN": "hf_x"}, Path()) as source:
        jobs = [product.submit(dict(request)) for request in source.requests]
    assert [job["model"] for job in jobs] == ["stable-audio", "stable-diffusion-xl"]


def test_a_longer_output_has_a_higher_estimate(product: Product) -> None:
    """The estimate grows with the duration, and is never below that of the default duration."""
    prices = {
        seconds: product.submit({"prompt": "calm guitar", "duration": seconds})["cost"]["estimated_usd"]
        for seconds in (2, 10, 30)
    }
    assert prices[2] == prices[10] > 0
    assert prices[30] == pytest.approx(3 * prices[10])


def test_a_caller_that_has_the_list_is_not_sent_it_again(product: Product) -> None:
    """The ETag of one answer brings 304 with no body; another one brings the list."""
    first = product.get("/models")
    second = product.get("/models", If_None_Match=first.headers["ETag"])
    assert (second.status, second.body, second.headers["ETag"]) == (304, "", first.headers["ETag"])
    assert product.get("/models", If_None_Match='"another"').json == first.json
