"""A provider that answers with a reference: nothing waits for it, nothing is paid twice, a callback is only a hint."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine

from local.replicate_server import ReplicateServer
from tests.product import Product

TRACK = {"prompt": "powerful guitar riffs with drums", "genre": "rock", "model": "musicgen-large", "duration": 2}
BASE = "https://api.example.com/prod/"


@pytest.fixture
def replicate() -> Iterator[ReplicateServer]:
    """Replicate's stand-in: a prediction succeeds at its second poll."""
    with ReplicateServer(quick=True, polls=2) as server:
        yield server


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    """Time that moves only when a test says so."""
    with time_machine.travel(time.time(), tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def product(
    product_with: Callable[..., Product],
    replicate: ReplicateServer,
    clock: time_machine.Coordinates,
    monkeypatch: pytest.MonkeyPatch,
) -> Product:
    """The product with Replicate as its only server, on a public address."""
    monkeypatch.setenv("CALLBACK_BASE_URL", BASE)
    product = product_with(servers={"replicate": replicate.url})
    product.aws.secrets.put_secret_value(SecretId="provider-tokens", SecretString='{"replicate": "r8_token"}')
    return product


def _run(product: Product, clock: time_machine.Coordinates, seconds: int) -> None:
    for _ in range(seconds // 5):
        product.deliver()
        clock.shift(5)


def _callback(replicate: ReplicateServer) -> tuple[str, bytes]:
    callback = replicate.callback(replicate.predictions[-1].id)
    url = urlsplit(callback.url)
    assert callback.url.startswith(BASE)
    return f"{url.path.removeprefix('/prod')}?{url.query}", callback.body


def _asked(replicate: ReplicateServer) -> list[str]:
    return [f"{request.method} {request.path.split('/')[2]}" for request in replicate.requests]


def test_a_result_is_polled_for_and_paid_once(
    product: Product, replicate: ReplicateServer, clock: time_machine.Coordinates
) -> None:
    """Made once, asked for twice; no function waits."""
    job = product.submit(TRACK)
    product.deliver()
    running = product.job(job["id"])
    assert (running["status"], running["wait"]["reason"]) == ("running", "provider_working")
    _run(product, clock, 200)
    done = product.job(job["id"])
    assert (done["status"], done["served_by"], replicate.generations) == ("succeeded", "replicate", 1)
    assert [(attempt["outcome"], attempt["charged"]) for attempt in done["attempts"]] == [("succeeded", "yes")]


def test_a_callback_brings_the_result_sooner(
    product: Product, replicate: ReplicateServer, clock: time_machine.Coordinates
) -> None:
    """It is believed in nothing: the provider is asked, with our token."""
    job = product.submit(TRACK)
    product.deliver()
    replicate.finish(replicate.predictions[0].id)
    clock.shift(6)
    assert product.call_back(*_callback(replicate)).status == 204
    product.deliver()
    assert product.job(job["id"])["status"] == "succeeded"


def test_a_callback_that_comes_twice_asks_once(
    product: Product, replicate: ReplicateServer, clock: time_machine.Coordinates
) -> None:
    """The second one knows nothing new."""
    product.submit(TRACK)
    product.deliver()
    clock.shift(6)
    for _ in range(2):
        product.call_back(*_callback(replicate))
    product.deliver()
    assert sum(asked == "GET predictions" for asked in _asked(replicate)) == 1


def test_callbacks_in_a_row_poll_at_most_every_five_seconds(
    product: Product, replicate: ReplicateServer, clock: time_machine.Coordinates
) -> None:
    """However often somebody calls."""
    product.submit(TRACK)
    product.deliver()
    replicate.polls = 100
    for _ in range(20):
        product.call_back(*_callback(replicate))
        product.deliver()
        clock.shift(1)
    assert sum(asked == "GET predictions" for asked in _asked(replicate)) <= 5


@pytest.mark.parametrize("forged", ["?t=wrong", "?t=", "", "?t=é\U0001f3b5"])
def test_a_forged_callback_changes_nothing(product: Product, replicate: ReplicateServer, forged: str) -> None:
    """404, and nobody is asked anything."""
    product.submit(TRACK)
    product.deliver()
    path, body = _callback(replicate)
    asked = len(replicate.requests)
    assert product.call_back(path.partition("?")[0] + forged, body).status == 404
    product.deliver()
    assert len(replicate.requests) == asked


def test_a_callback_of_an_unknown_job_is_not_found(product: Product, replicate: ReplicateServer) -> None:
    """404."""
    product.submit(TRACK)
    product.deliver()
    assert product.call_back("/callbacks/replicate/nosuchjob/1?t=x", b"{}").status == 404


class _Killed(BaseException):
    """The worker is gone."""


def _kill_after_submit(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that dies between the provider's answer and storing its reference."""
    import wiring

    worker = wiring.dependencies().worker
    with monkeypatch.context() as patch:
        patch.setattr(type(worker.jobs), "refer", _die)
        with pytest.raises(_Killed):
            product.deliver()


def _die(*_: Any) -> None:
    raise _Killed


def test_a_callback_after_the_worker_died_heals_the_job_without_a_second_charge(
    product: Product, replicate: ReplicateServer, clock: time_machine.Coordinates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The callback names the reference that was never stored."""
    job = product.submit(TRACK)
    _kill_after_submit(product, monkeypatch)
    replicate.finish(replicate.predictions[0].id)
    clock.shift(20)
    assert product.call_back(*_callback(replicate)).status == 204
    clock.shift(400)
    for _ in range(30):
        product.sweep()
        product.deliver()
        clock.shift(30)
    done = product.job(job["id"])
    assert (done["status"], replicate.generations, len(done["attempts"])) == ("succeeded", 1, 1)


def test_a_call_that_may_yet_call_back_is_not_repeated_too_soon(
    product: Product, replicate: ReplicateServer, clock: time_machine.Coordinates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times as long as it usually takes, then it is made again, and the ledger says so."""
    job = product.submit(TRACK)
    _kill_after_submit(product, monkeypatch)
    clock.shift(3 * 70 - 10)
    product.sweep()
    product.deliver()
    assert replicate.generations == 1
    for _ in range(60):
        clock.shift(20)
        product.sweep()
        product.deliver()
    done = product.job(job["id"])
    assert (done["status"], replicate.generations) == ("succeeded", 2)
    assert [attempt["charged"] for attempt in done["attempts"]] == ["unknown", "yes"]


def test_cancelling_tells_the_provider_and_learns_what_it_cost(
    product: Product, replicate: ReplicateServer, clock: time_machine.Coordinates
) -> None:
    """The prediction is stopped, and the attempt is closed."""
    job = product.submit(TRACK)
    product.deliver()
    assert product.post(f"/jobs/{job['id']}/cancel").json["status"] == "canceled"
    _run(product, clock, 60)
    done = product.job(job["id"])
    assert replicate.predictions[0].status == "canceled"
    assert (done["status"], done["attempts"][0]["outcome"] == "calling") == ("canceled", False)


def test_an_overdue_prediction_is_stopped_and_accounted_for(
    product: Product, replicate: ReplicateServer, clock: time_machine.Coordinates
) -> None:
    """The job ends by its deadline; what the provider did is still entered."""
    replicate.polls = 10_000
    job = product.submit({**TRACK, "deadline_seconds": 60})
    _run(product, clock, 70)
    product.sweep()
    assert product.job(job["id"])["error"]["code"] == "deadline_passed"
    _run(product, clock, 120)
    assert replicate.predictions[0].status == "canceled"
    items = product.aws.dynamodb.query(
        TableName="jobs",
        IndexName="open",
        KeyConditionExpression="#o = :o",
        ExpressionAttributeNames={"#o": "open"},
        ExpressionAttributeValues={":o": {"S": "open"}},
    )["Items"]
    assert items == []


def test_a_poll_that_fails_is_repeated_for_nothing(
    product: Product, replicate: ReplicateServer, clock: time_machine.Coordinates
) -> None:
    """Asking costs nothing: the reference is kept and asked by again."""
    job = product.submit(TRACK)
    product.deliver()
    replicate.fault("server_error", at="poll", times=3)
    _run(product, clock, 400)
    done = product.job(job["id"])
    assert (done["status"], replicate.generations, len(done["attempts"])) == ("succeeded", 1, 1)
