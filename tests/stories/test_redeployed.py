"""A deployment that changes while jobs are under way: nothing is forgotten, nothing stands still."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
import wiring

from local.stand_ins.model import ModelServer
from local.stand_ins.replicate import ReplicateServer
from tests.harness.aws import TABLE
from tests.harness.product import Product

TRACK = {"prompt": "powerful guitar riffs", "model": "musicgen-large", "duration": 2}
Deploy = Callable[..., Product]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time that moves only when a test says so."""
    with time_machine.travel(time.time(), tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def replicate() -> Iterator[ReplicateServer]:
    """Replicate's stand-in: a prediction works until a test ends it."""
    with ReplicateServer(quick=True, polls=10_000) as server:
        yield server


def _run(product: Product, clock: time_machine.Traveller, seconds: int) -> None:
    for _ in range(seconds // 15):
        product.sweep()
        product.deliver()
        clock.shift(15)


def _budgets(product: Product) -> dict[str, dict[str, Any]]:
    items = product.aws.dynamodb.scan(TableName=TABLE)["Items"]
    return {item["pk"]["S"].split("#")[1]: item for item in items if item["pk"]["S"].startswith("budget#")}


def test_a_job_gives_back_what_it_held_whichever_caps_there_are_by_then(
    product_with: Deploy, clock: time_machine.Traveller
) -> None:
    """A cap that came later never held anything of it; one that is gone still did."""
    product_with(deployment_caps={"usd": 1}).submit(TRACK)
    product = product_with(owner_caps={"usd": 1, "open_jobs": 1})
    _run(product, clock, 30)
    budgets = _budgets(product)
    assert set(budgets) == {"ALL"}
    assert budgets["ALL"]["waiting"]["N"] == "0"


def test_a_generation_whose_route_is_gone_is_not_called_free(
    product_with: Deploy,
    replicate: ReplicateServer,
    model_server: ModelServer,
    clock: time_machine.Traveller,
) -> None:
    """It is neither paid again elsewhere nor forgotten: with the route its result comes back."""
    both = {"replicate": replicate.url, "musicgen-small": f"{model_server.url}/models/{{model}}"}
    product = product_with(servers=both)
    job = product.submit(TRACK)
    product.deliver()
    product = product_with(servers={"musicgen-large": f"{model_server.url}/models/{{model}}"})
    _run(product, clock, 120)
    waiting = product.job(job["id"])
    assert (waiting["status"], waiting["attempts"][0]["charged"]) == ("running", "unknown")
    assert "not set up any more" in waiting["wait"]["basis"]
    assert (replicate.generations, model_server.generations) == (1, 0)
    replicate.finish(replicate.made[0].id)
    product = product_with(servers=both)
    _run(product, clock, 120)
    assert product.job(job["id"])["status"] == "succeeded"


def test_a_job_outlives_a_parameter_of_its_model(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its page still shows what was asked."""
    job = product.submit({"prompt": "calm guitar", "guidance_scale": 5})
    del wiring.dependencies().service.catalogue.models["musicgen-small"].parameters["guidance_scale"]
    assert product.job(job["id"])["parameters"]["guidance_scale"] == 5
