"""Jobs at the operator's own Space: no charge, a daily quota, and a call that is made again if its end was lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
import time_machine

from local.stand_ins.space import SpaceServer
from tests.harness.product import Product
from tests.harness.providers import SPACE
from tests.stories.actions import run
from tests.stories.space_jobs import outcomes, waits_for_the_quota

TOKEN = SPACE.tokens["space"]


@pytest.fixture
def app() -> Iterator[SpaceServer]:
    """A private Space."""
    with SpaceServer(quick=True, token=TOKEN) as server:
        yield server


@pytest.fixture
def product(product_with: Callable[..., Product], app: SpaceServer) -> Product:
    """The product with the Space as its only server, and the Space's token stored."""
    product = product_with(servers={"space": app.url})
    product.aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString=json.dumps(dict(SPACE.tokens)))
    return product


def test_a_job_at_a_space_costs_nothing(product: Product, app: SpaceServer, clock: time_machine.Traveller) -> None:
    """A prompt alone gets music by MusicGen, at a price of zero, and the ledger shows no charge."""
    job = product.submit({"prompt": "slow jazz", "genre": "jazz", "duration": 2})
    run(product, clock, 20)
    done = product.job(job["id"])
    assert (done["status"], done["model"], done["served_by"]) == ("succeeded", "musicgen-small", "space")
    assert outcomes(product, done) == [("succeeded", "no")]
    assert done["cost"] == {**done["cost"], "estimated_usd": 0, "possible_usd": 0, "charged_usd": 0}
    assert product.file(done) == app.made[0].files[0].content


def test_a_read_that_is_held_is_in_the_queue_of_long_calls(product: Product) -> None:
    """It would keep the short steps of other jobs waiting."""
    product.submit({"prompt": "slow jazz"})
    queues = {message["Queue"] for message in product.messages()}
    assert queues == {product.aws.environment["CALLS_QUEUE_URL"]}


def test_a_used_up_quota_delays_the_job_as_long_as_the_space_says(
    product: Product, app: SpaceServer, clock: time_machine.Traveller
) -> None:
    """The job waits 0:12:34 and is then served, without a charge."""
    app.fault("quota")
    job = product.submit({"prompt": "slow jazz", "duration": 2})
    waits_for_the_quota(product, job, clock)


def test_a_lost_end_is_followed_by_another_call(
    product: Product, app: SpaceServer, clock: time_machine.Traveller
) -> None:
    """The connection breaks during the read: the call is made again, even if one charge is allowed."""
    app.fault("drop", at="poll")
    job = product.submit({"prompt": "slow jazz", "duration": 2, "max_charges": 1})
    run(product, clock, 40)
    assert outcomes(product, job) == [("upstream", "no"), ("succeeded", "no")]
    assert len(app.made) == 2


def test_a_paused_space_fails_the_job_with_the_next_step(
    product: Product, app: SpaceServer, clock: time_machine.Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    """The log tells the operator to restart it."""
    app.stage = "PAUSED"
    app.fault("waking", times=None)
    job = product.submit({"prompt": "slow jazz", "duration": 2})
    run(product, clock, 10)
    failed = product.job(job["id"])
    assert (failed["status"], failed["error"]["code"], failed["error"]["charged"]) == ("failed", "not_served", "no")
    assert "It is paused. Restart it" in caplog.text


def test_a_sleeping_space_is_waited_for(product: Product, app: SpaceServer, clock: time_machine.Traveller) -> None:
    """The first request wakes it."""
    app.stage = "SLEEPING"
    app.fault("waking")
    job = product.submit({"prompt": "slow jazz", "duration": 2})
    run(product, clock, 10)
    assert product.job(job["id"])["wait"]["reason"] == "model_loading"
    run(product, clock, 60)
    assert product.job(job["id"])["status"] == "succeeded"


def test_the_doctor_finds_nothing_to_do(product: Product) -> None:
    """A price of zero is a known price."""
    [found] = [row for row in product.examine() if (row["model"], row["route"]) == ("musicgen-small", "space")]
    assert found["works"] == "yes"
    assert found["findings"]["price"] == "yes"
