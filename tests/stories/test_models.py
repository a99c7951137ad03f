"""GET /models lists the models of this deployment with their parameters, prices and licenses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.harness.product import Product


def _models(product: Product) -> dict[str, dict[str, Any]]:
    answer = product.get("/models")
    assert answer.status == 200
    return {model["id"]: model for model in answer.json["models"]}


def test_each_model_shows_its_bounds_its_price_and_its_license(product: Product) -> None:
    """The values are those of the catalogue."""
    music = _models(product)["musicgen-small"]
    assert music["default"]
    assert "facebook/musicgen-small" in music["aliases"]
    assert music["parameters"]["duration"] == {"type": "number", "default": 10, "least": 1, "most": 30}
    assert music["license"]["name"] == "CC-BY-NC-4.0"
    assert all(route["estimated_usd"] > 0 and route["read"] > "2025" for route in music["routes"])


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
        ({"router": "https://router.huggingface.co/hf-inference/models/{model}"}, "image", "stable-diffusion-v1-5"),
        ({"inference-providers": "https://router.huggingface.co"}, "image", "stable-diffusion-xl"),
        ({"replicate": "https://api.replicate.com"}, "music", "musicgen-large"),
        ({"fal": "https://queue.fal.run"}, "music", "stable-audio"),
    ],
)
def test_a_request_by_kind_gets_a_model_with_a_route(
    product_with: Callable[..., Product], servers: dict[str, str], kind: str, model: str
) -> None:
    """The default model is chosen if it has a route here or if none has; otherwise one that has a route."""
    assert product_with(servers=servers).submit({"prompt": "calm guitar", "kind": kind})["model"] == model


def test_a_longer_output_has_a_higher_estimate(product: Product) -> None:
    """The estimate grows with the duration, and is never below that of the default duration."""
    prices = {
        seconds: product.submit({"prompt": "calm guitar", "duration": seconds})["cost"]["estimated_usd"]
        for seconds in (2, 10, 30)
    }
    assert prices[2] == prices[10] > 0
    assert prices[30] == pytest.approx(3 * prices[10])
