"""A deployment with nothing but a Hugging Face token: its partners make pictures and films, each paid for once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine

from local.hub_server import HubServer
from local.hub_server.served import SDXL, WAN
from tests.product import Product

TOKEN = "hf_AbCdEfGh0123456789"
PICTURE = {"prompt": "a red boat", "model": "flux-schnell", "width": 256, "height": 256}
FILM = {"prompt": "a red boat leaves the harbour", "model": "wan-2.2-5b", "duration": 2}


@pytest.fixture
def hub() -> Iterator[HubServer]:
    """The stand-in: a film is done at its second poll."""
    with HubServer(quick=True, token=TOKEN) as server:
        yield server


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    """Time that moves only when a test says so."""
    with time_machine.travel(time.time(), tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def product(
    product_with: Callable[..., Product],
    hub: HubServer,
    clock: time_machine.Coordinates,
    monkeypatch: pytest.MonkeyPatch,
) -> Product:
    """The product with Hugging Face's partners as its only server, on a public address."""
    monkeypatch.setenv("CALLBACK_BASE_URL", "https://api.example.com/prod/")
    product = product_with(servers={"inference-providers": hub.url})
    product.aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString=f'{{"huggingface": "{TOKEN}"}}')
    return product


def _run(product: Product, clock: time_machine.Coordinates, seconds: int) -> None:
    for _ in range(seconds // 5):
        product.deliver()
        clock.shift(5)


def _ledger(job: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(attempt["route"], attempt["outcome"], attempt["charged"]) for attempt in job["attempts"]]


def test_a_picture_is_waited_for_on_the_line(product: Product, hub: HubServer) -> None:
    """One delivery, one generation, and the caller is told what the partner cannot honour."""
    job = product.submit({**PICTURE, "seed": 7})
    product.deliver()
    done = product.job(job["id"])
    assert (done["status"], done["served_by"], hub.generations) == ("succeeded", "hf-nscale", 1)
    assert _ledger(done) == [("hf-nscale", "succeeded", "yes")]
    assert product.file(done) == hub.made[0].file.content


def test_a_film_is_polled_for_and_paid_once(product: Product, hub: HubServer, clock: time_machine.Coordinates) -> None:
    """No function waits for it, nobody calls back, and its file lies in our bucket."""
    job = product.submit(FILM)
    product.deliver()
    assert product.job(job["id"])["wait"]["reason"] == "provider_working"
    _run(product, clock, 60)
    done = product.job(job["id"])
    assert (done["status"], done["served_by"], hub.generations) == ("succeeded", "hf-fal-ai", 1)
    assert _ledger(done) == [("hf-fal-ai", "succeeded", "yes")]
    assert product.file(done) == hub.made[0].file.content


def test_a_partner_the_hub_does_not_name_is_gone_around_for_nothing(
    product: Product, hub: HubServer, clock: time_machine.Coordinates
) -> None:
    """The first two partners do not serve the film, or not for everybody."""
    del hub.mapping[WAN]["fal-ai"]
    hub.mapping[WAN]["wavespeed"]["status"] = "staging"
    job = product.submit(FILM)
    _run(product, clock, 60)
    done = product.job(job["id"])
    assert _ledger(done) == [
        ("hf-fal-ai", "not_served", "no"),
        ("hf-wavespeed", "not_served", "no"),
        ("hf-replicate", "succeeded", "yes"),
    ]
    assert hub.generations == 1


def test_a_model_nobody_serves_fails_and_says_so(product: Product, hub: HubServer) -> None:
    """Nothing was sent, nothing was paid."""
    hub.mapping[SDXL] = {}
    job = product.submit({"prompt": "a red boat", "model": "stable-diffusion-xl"})
    product.deliver()
    failed = product.job(job["id"])
    assert (failed["status"], failed["error"]["code"], failed["error"]["charged"]) == ("failed", "not_served", "no")
    assert "nscale does not serve" in failed["error"]["message"]
    assert hub.generations == 0


def test_a_hub_that_cannot_be_read_delays_a_job_and_costs_nothing(
    product: Product, hub: HubServer, clock: time_machine.Coordinates
) -> None:
    """It is read again."""
    hub.fault("throttled", at="mapping", retry_after=30)
    job = product.submit(PICTURE)
    product.deliver()
    assert product.job(job["id"])["wait"]["reason"] == "provider_quota"
    _run(product, clock, 60)
    done = product.job(job["id"])
    assert (done["status"], hub.generations) == ("succeeded", 1)
    assert [attempt["charged"] for attempt in done["attempts"]] == ["no", "yes"]


def test_a_poll_that_fails_is_repeated_for_nothing(
    product: Product, hub: HubServer, clock: time_machine.Coordinates
) -> None:
    """Asking costs nothing."""
    job = product.submit(FILM)
    product.deliver()
    hub.fault("server_error", at="poll", times=3)
    _run(product, clock, 120)
    done = product.job(job["id"])
    assert (done["status"], hub.generations, len(done["attempts"])) == ("succeeded", 1, 1)


def test_a_cancelled_film_is_paid_for_and_kept(
    product: Product, hub: HubServer, clock: time_machine.Coordinates
) -> None:
    """The router lets nobody stop it: what comes of it is the owner's."""
    job = product.submit(FILM)
    product.deliver()
    assert product.post(f"/jobs/{job['id']}/cancel").json["status"] == "canceled"
    _run(product, clock, 120)
    done = product.job(job["id"])
    assert (done["status"], len(done["outputs"]), hub.generations) == ("canceled", 1, 1)
    assert [attempt["charged"] for attempt in done["attempts"]] == ["yes"]
