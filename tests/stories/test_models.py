"""GET /models: what can be asked for, before anything is paid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.harness.product import Product


def _models(product: Product) -> dict[str, dict[str, Any]]:
    answer = product.get("/models")
    assert answer.status == 200
    return {model["id"]: model for model in answer.json["models"]}


def test_each_model_tells_its_bounds_its_price_and_its_license(product: Product) -> None:
    """As the catalogue has them."""
    music = _models(product)["musicgen-small"]
    assert music["default"]
    assert "facebook/musicgen-small" in music["aliases"]
    assert music["parameters"]["duration"] == {"type": "number", "default": 10, "least": 1, "most": 30}
    assert music["license"]["name"] == "CC-BY-NC-4.0"
    assert all(route["estimated_usd"] > 0 and route["read"] > "2025" for route in music["routes"])


def test_only_routes_that_are_set_up_are_told(product_with: Callable[..., Product]) -> None:
    """A model without one is listed, and said to be unavailable."""
    models = _models(product_with(servers={"replicate": "https://api.replicate.com"}))
    assert [route["name"] for route in models["musicgen-large"]["routes"]] == ["replicate"]
    assert (models["musicgen-large"]["available"], models["musicgen-small"]["available"]) == (True, False)


def test_a_deployment_for_commerce_lists_what_may_be_sold(product_with: Callable[..., Product]) -> None:
    """The others are not offered."""
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
def test_a_request_by_kind_gets_a_model_that_is_reached_here(
    product_with: Callable[..., Product], servers: dict[str, str], kind: str, model: str
) -> None:
    """The usual one where it is, or where none is: then its refusal says what to set up."""
    assert product_with(servers=servers).submit({"prompt": "calm guitar", "kind": kind})["model"] == model


def test_what_is_larger_or_longer_is_estimated_dearer(product: Product) -> None:
    """And holds more of a budget; what is smaller is not estimated cheaper than the defaults."""
    prices = {
        seconds: product.submit({"prompt": "calm guitar", "duration": seconds})["cost"]["estimated_usd"]
        for seconds in (2, 10, 30)
    }
    assert prices[2] == prices[10] > 0
    assert prices[30] == pytest.approx(3 * prices[10])
