"""A call whose answer is lost may have started a generation; its callback prevents a second charge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
import time_machine
import wiring

from local.stand_ins.framework.answers import Answer
from local.stand_ins.framework.listener import Handler
from local.stand_ins.framework.memory import Exchange
from local.stand_ins.replicate import ReplicateServer
from tests.harness.product import Product

TRACK = {"prompt": "powerful guitar riffs", "model": "musicgen-large", "duration": 2}
BASE = "https://api.example.com/prod/"
CALLBACK_GRACE = 3 * 70  # seconds: three times the usual duration


class EarlyCallbackServer(ReplicateServer):
    """Calls `on_prediction` once, as soon as it has made a prediction and before it answers."""

    on_prediction: Callable[[], None] | None = None

    def route(self, asked: Handler, body: bytes, exchange: Exchange) -> Answer:
        try:
            return super().route(asked, body, exchange)
        finally:
            if self.made and (on_prediction := self.on_prediction):
                self.on_prediction = None
                on_prediction()


@pytest.fixture
def replicate() -> Iterator[EarlyCallbackServer]:
    """Replicate's stand-in, which makes the first prediction and loses its answer."""
    with EarlyCallbackServer(quick=True) as server:
        server.fault("server_error", created=True, times=1)
        yield server


@pytest.fixture
def product(
    product_with: Callable[..., Product], replicate: ReplicateServer, monkeypatch: pytest.MonkeyPatch
) -> Product:
    """The product with Replicate as its only server, and with an address for callbacks."""
    monkeypatch.setenv("CALLBACK_BASE_URL", BASE)
    return product_with(servers={"replicate": replicate.url})


def _call_back(product: Product, replicate: ReplicateServer) -> None:
    callback = replicate.callback(replicate.made[0].id)
    url = urlsplit(callback.url)
    assert product.call_back(f"{url.path.removeprefix('/prod')}?{url.query}", callback.body).status == 204


def _run(product: Product, clock: time_machine.Traveller, seconds: int) -> None:
    for _ in range(seconds // 15):
        product.sweep()
        product.deliver()
        clock.shift(15)


@pytest.mark.parametrize("max_charges", [1, 2])
def test_a_callback_brings_the_result(
    product: Product, replicate: ReplicateServer, clock: time_machine.Traveller, max_charges: int
) -> None:
    """After a lost answer, a callback leads to the result of the one generation, which is charged once."""
    job = product.submit({**TRACK, "max_charges": max_charges})
    product.deliver()
    waiting = product.job(job["id"])
    assert (waiting["status"], waiting["wait"]["reason"]) == ("queued", "provider_error")
    clock.shift(20)
    replicate.finish(replicate.made[0].id)
    _call_back(product, replicate)
    _run(product, clock, 60)
    done = product.job(job["id"])
    assert (done["status"], replicate.generations) == ("succeeded", 1)
    assert [attempt["charged"] for attempt in done["attempts"]] == ["yes"]


def test_without_a_callback_the_call_is_repeated_after_the_callback_grace(
    product: Product, replicate: ReplicateServer, clock: time_machine.Traveller
) -> None:
    """The call is repeated after three times its usual duration; the first charge stays unknown."""
    job = product.submit(TRACK)
    _run(product, clock, CALLBACK_GRACE - 15)
    assert replicate.generations == 1
    _run(product, clock, 300)
    done = product.job(job["id"])
    assert (done["status"], replicate.generations) == ("succeeded", 2)
    assert [attempt["charged"] for attempt in done["attempts"]] == ["unknown", "yes"]


def test_without_a_callback_the_job_fails_if_no_other_call_is_allowed(
    product: Product, replicate: ReplicateServer, clock: time_machine.Traveller
) -> None:
    """With `max_charges` 1 the call is not repeated, and the job fails with an unknown charge."""
    job = product.submit({**TRACK, "max_charges": 1})
    _run(product, clock, CALLBACK_GRACE + 120)
    failed = product.job(job["id"])
    assert (failed["status"], failed["error"]["charged"], replicate.generations) == ("failed", "unknown", 1)


def test_a_callback_during_the_call_supersedes_its_worker(
    product: Product, replicate: EarlyCallbackServer, clock: time_machine.Traveller
) -> None:
    """The reference from the callback is kept, although the worker's call fails after it."""
    replicate.on_prediction = lambda: _call_back(product, replicate)
    job = product.submit(TRACK)
    product.deliver()
    _run(product, clock, 120)
    done = product.job(job["id"])
    assert (done["status"], replicate.generations) == ("succeeded", 1)


def test_a_callback_that_finds_the_job_queued_again_still_counts(
    product: Product, replicate: EarlyCallbackServer, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The callback reads the job during the call and stores its reference after the job was queued again."""
    jobs, read = wiring.dependencies().callbacks.jobs, []
    job = product.submit(TRACK)
    replicate.on_prediction = lambda: read.append(jobs.find(job["id"]))
    product.deliver()
    with monkeypatch.context() as patch:
        patch.setattr(type(jobs), "find", lambda *_: read[0])
        _call_back(product, replicate)
    _run(product, clock, 120)
    assert (product.job(job["id"])["status"], replicate.generations) == ("succeeded", 1)


def _end_without_answer(product: Product, clock: time_machine.Traveller, end: str) -> str:
    """The id of a job that was canceled, or failed, after the answer of its call was lost."""
    job = str(product.submit({**TRACK, "deadline_seconds": 30})["id"])
    product.deliver()
    if end == "canceled":
        product.post(f"/jobs/{job}/cancel")
    clock.shift(31)
    product.sweep()
    assert (product.job(job)["status"], product.job(job)["attempts"][0]["charged"]) == (end, "unknown")
    return job


@pytest.mark.parametrize("end", ["canceled", "failed"])
def test_a_callback_brings_the_result_of_a_job_that_has_ended(
    product: Product, replicate: ReplicateServer, clock: time_machine.Traveller, end: str
) -> None:
    """The result is kept, listed and charged; the status stays, and another callback changes nothing."""
    job = _end_without_answer(product, clock, end)
    replicate.finish(replicate.made[0].id)
    _call_back(product, replicate)
    _run(product, clock, 60)
    kept = product.job(job)
    assert (kept["status"], kept["attempts"][0]["charged"], len(kept["outputs"])) == (end, "yes", 1)
    _call_back(product, replicate)
    assert (product.messages(), product.job(job)) == ([], kept)


@pytest.mark.parametrize("end", ["canceled", "failed"])
def test_a_callback_about_a_job_that_has_ended_stops_its_generation(
    product: Product, replicate: ReplicateServer, clock: time_machine.Traveller, end: str
) -> None:
    """The provider is told to stop; it may have charged for what it had done."""
    job = _end_without_answer(product, clock, end)
    _call_back(product, replicate)
    _run(product, clock, 60)
    assert replicate.made[0].status == "canceled"
    stopped = product.job(job)
    assert (stopped["status"], stopped["attempts"][0]["charged"]) == (end, "unknown")
    _call_back(product, replicate)
    assert product.messages() == []
