"""fal through the product: nothing waits for it, nothing is paid twice, a callback is only a hint."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine

from local.fal_server import FalServer
from tests.product import Product

TRACK = {"prompt": "powerful guitar riffs with drums", "genre": "rock", "model": "stable-audio", "duration": 2}
BASE = "https://api.example.com/prod/"


@pytest.fixture
def fal() -> Iterator[FalServer]:
    """fal's stand-in: a request is over at its second poll."""
    with FalServer(quick=True) as server:
        yield server


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    """Time that moves only when a test says so."""
    with time_machine.travel(time.time(), tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def product(
    product_with: Callable[..., Product],
    fal: FalServer,
    clock: time_machine.Coordinates,
    monkeypatch: pytest.MonkeyPatch,
) -> Product:
    """The product with fal as its only server, on a public address."""
    monkeypatch.setenv("CALLBACK_BASE_URL", BASE)
    product = product_with(servers={"fal": fal.url})
    product.aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString='{"fal": "key-id:key-secret"}')
    return product


def _run(product: Product, clock: time_machine.Coordinates, seconds: int) -> None:
    for _ in range(seconds // 5):
        product.deliver()
        clock.shift(5)


def _callback(fal: FalServer) -> tuple[str, bytes]:
    callback = fal.callback(fal.queue[-1].id)
    url = urlsplit(callback.url)
    assert callback.url.startswith(BASE)
    return f"{url.path.removeprefix('/prod')}?{url.query}", callback.body


def _polls(fal: FalServer) -> int:
    return sum(request.path.endswith("/status") for request in fal.requests)


def test_a_result_is_polled_for_and_paid_once(
    product: Product, fal: FalServer, clock: time_machine.Coordinates
) -> None:
    """Made once, asked for twice; no function waits."""
    job = product.submit(TRACK)
    product.deliver()
    running = product.job(job["id"])
    assert (running["status"], running["wait"]["reason"]) == ("running", "provider_working")
    _run(product, clock, 200)
    done = product.job(job["id"])
    assert (done["status"], done["served_by"], fal.generations) == ("succeeded", "fal", 1)
    assert [(attempt["outcome"], attempt["charged"]) for attempt in done["attempts"]] == [("succeeded", "yes")]
    assert product.file(done) == fal.queue[0].files[0].content


def test_a_callback_brings_the_result_sooner_and_twice_changes_nothing(
    product: Product, fal: FalServer, clock: time_machine.Coordinates
) -> None:
    """It is believed in nothing: fal is asked, with our token, and once."""
    job = product.submit(TRACK)
    product.deliver()
    fal.finish(fal.queue[0].id)
    clock.shift(6)
    assert [product.call_back(*_callback(fal)).status for _ in range(2)] == [204, 204]
    product.deliver()
    assert (product.job(job["id"])["status"], _polls(fal)) == ("succeeded", 1)
    assert product.call_back(*_callback(fal)).status == 204
    _run(product, clock, 60)
    assert (product.job(job["id"])["status"], _polls(fal), fal.generations) == ("succeeded", 1, 1)


@pytest.mark.parametrize("forged", ["?t=wrong", "?t=", ""])
def test_a_forged_callback_changes_nothing(product: Product, fal: FalServer, forged: str) -> None:
    """404, and nobody is asked anything."""
    product.submit(TRACK)
    product.deliver()
    path, body = _callback(fal)
    asked = len(fal.requests)
    assert product.call_back(path.partition("?")[0] + forged, body).status == 404
    product.deliver()
    assert len(fal.requests) == asked


def test_a_callback_that_lies_about_its_outcome_is_not_believed(
    product: Product, fal: FalServer, clock: time_machine.Coordinates
) -> None:
    """Right token, wrong story: the request goes on as fal itself says."""
    job = product.submit(TRACK)
    product.deliver()
    clock.shift(6)
    path, _ = _callback(fal)
    lie = b'{"request_id": "00000000-0000-0000-0000-000000000000", "status": "ERROR", "payload": {}}'
    assert product.call_back(path, lie).status == 204
    _run(product, clock, 200)
    assert (product.job(job["id"])["status"], fal.generations) == ("succeeded", 1)


class _Killed(BaseException):
    """The worker is gone."""


def _die(*_: Any) -> None:
    raise _Killed


def test_a_callback_before_the_reference_is_stored_heals_the_job_without_a_second_charge(
    product: Product, fal: FalServer, clock: time_machine.Coordinates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker died with fal's answer in its hands; the callback names the request."""
    import wiring

    job = product.submit(TRACK)
    with monkeypatch.context() as patch:
        patch.setattr(type(wiring.dependencies().worker.jobs), "refer", _die)
        with pytest.raises(_Killed):
            product.deliver()
    fal.finish(fal.queue[0].id)
    clock.shift(20)
    assert product.call_back(*_callback(fal)).status == 204
    clock.shift(400)
    for _ in range(30):
        product.sweep()
        product.deliver()
        clock.shift(30)
    done = product.job(job["id"])
    assert (done["status"], fal.generations, len(done["attempts"])) == ("succeeded", 1, 1)


def test_a_fault_of_fals_own_is_not_charged_and_made_again(
    product: Product, fal: FalServer, clock: time_machine.Coordinates
) -> None:
    """A lost runner costs nothing, and the second generation is the one that is paid."""
    fal.fault("runner_lost")
    job = product.submit({**TRACK, "max_charges": 1})
    _run(product, clock, 600)
    done = product.job(job["id"])
    assert (done["status"], len(fal.queue), fal.generations) == ("succeeded", 2, 1)
    assert [attempt["charged"] for attempt in done["attempts"]] == ["no", "yes"]


def test_cancelling_takes_the_request_out_of_fals_queue(
    product: Product, fal: FalServer, clock: time_machine.Coordinates
) -> None:
    """And the attempt is closed."""
    job = product.submit(TRACK)
    product.deliver()
    assert product.post(f"/jobs/{job['id']}/cancel").json["status"] == "canceled"
    _run(product, clock, 60)
    done = product.job(job["id"])
    assert (fal.queue[0].canceled, fal.generations) == (True, 0)
    assert (done["status"], done["attempts"][0]["outcome"] == "calling") == ("canceled", False)
