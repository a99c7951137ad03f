"""Jobs in progress finish and are settled after the deployment's settings change."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import time_machine
import wiring

from local.stand_ins.model import ModelServer
from local.stand_ins.replicate import ReplicateServer
from tests.harness.budgets import budgets_of
from tests.harness.product import Product

TRACK = {"prompt": "powerful guitar riffs", "model": "musicgen-large", "duration": 2}
Deploy = Callable[..., Product]


@pytest.fixture
def replicate() -> Iterator[ReplicateServer]:
    """Replicate's stand-in; a prediction stays in progress until a test finishes it."""
    with ReplicateServer(quick=True, polls=10_000) as server:
        yield server


def _run(product: Product, clock: time_machine.Traveller, seconds: int) -> None:
    for _ in range(seconds // 15):
        product.sweep()
        product.deliver()
        clock.shift(15)


def test_a_job_settles_the_budgets_it_has_reserved(product_with: Deploy, clock: time_machine.Traveller) -> None:
    """A job settles the budget it reserved, although its cap is gone, and does not touch a newer one."""
    product_with(deployment_caps={"usd": 1}).submit(TRACK)
    product = product_with(owner_caps={"usd": 1, "open_jobs": 1})
    _run(product, clock, 30)
    [(key, budget)] = budgets_of(product.aws.dynamodb).items()
    assert (key.split("#")[0], budget["waiting"]) == ("ALL", 0)


def test_a_generation_whose_route_is_gone_stays_open(
    product_with: Deploy,
    replicate: ReplicateServer,
    model_server: ModelServer,
    clock: time_machine.Traveller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The job waits with an unknown charge and makes no other call; its result comes when the route is back."""
    both = {"replicate": replicate.url, "musicgen-small": f"{model_server.url}/models/{{model}}"}
    product = product_with(servers=both)
    job = product.submit(TRACK)
    product.deliver()
    product = product_with(servers={"musicgen-large": f"{model_server.url}/models/{{model}}"})
    _run(product, clock, 120)
    waiting = product.job(job["id"])
    assert (waiting["status"], waiting["attempts"][0]["charged"]) == ("running", "unknown")
    assert "could not be asked for the result" in waiting["wait"]["basis"]
    assert "not set up any more" in caplog.text
    assert (replicate.generations, model_server.generations) == (1, 0)
    replicate.finish(replicate.made[0].id)
    product = product_with(servers=both)
    _run(product, clock, 120)
    assert product.job(job["id"])["status"] == "succeeded"


def test_a_job_shows_a_parameter_that_its_model_has_lost(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parameters of a job are those of its request, even if the catalogue has dropped one."""
    job = product.submit({"prompt": "calm guitar", "guidance_scale": 5})
    del wiring.dependencies().service.catalogue.models["musicgen-small"].parameters["guidance_scale"]
    assert product.job(job["id"])["parameters"]["guidance_scale"] == 5
