"""A POST whose answer is lost at a provider that calls back: it may have been taken, and is not paid twice for it."""

from __future__ import annotations

import time
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
PATIENCE = 3 * 70


class TalkativeServer(ReplicateServer):
    """Calls back by `tell` as soon as it has made a prediction, before it answers."""

    tell: Callable[[], None] | None = None

    def route(self, asked: Handler, body: bytes, exchange: Exchange) -> Answer:
        try:
            return super().route(asked, body, exchange)
        finally:
            if self.made and (tell := self.tell):
                self.tell = None
                tell()


@pytest.fixture
def replicate() -> Iterator[TalkativeServer]:
    """Replicate's stand-in: it takes the order, and its answer to that is lost."""
    with TalkativeServer(quick=True) as server:
        server.fault("server_error", created=True, times=1)
        yield server


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time that moves only when a test says so."""
    with time_machine.travel(time.time(), tick=False) as coordinates:
        yield coordinates


@pytest.fixture
def product(
    product_with: Callable[..., Product], replicate: ReplicateServer, monkeypatch: pytest.MonkeyPatch
) -> Product:
    """The product with Replicate as its only server, on a public address."""
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
def test_a_callback_brings_its_result(
    product: Product, replicate: ReplicateServer, clock: time_machine.Traveller, max_charges: int
) -> None:
    """One generation, paid once, and its file is there."""
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


def test_without_a_callback_it_is_made_again_where_that_is_allowed(
    product: Product, replicate: ReplicateServer, clock: time_machine.Traveller
) -> None:
    """Not before three times as long as it usually takes."""
    job = product.submit(TRACK)
    _run(product, clock, PATIENCE - 15)
    assert replicate.generations == 1
    _run(product, clock, 300)
    done = product.job(job["id"])
    assert (done["status"], replicate.generations) == ("succeeded", 2)
    assert [attempt["charged"] for attempt in done["attempts"]] == ["unknown", "yes"]


def test_without_a_callback_it_fails_where_no_other_call_is_allowed(
    product: Product, replicate: ReplicateServer, clock: time_machine.Traveller
) -> None:
    """With what it may have cost."""
    job = product.submit({**TRACK, "max_charges": 1})
    _run(product, clock, PATIENCE + 120)
    failed = product.job(job["id"])
    assert (failed["status"], failed["error"]["charged"], replicate.generations) == ("failed", "unknown", 1)


def test_a_callback_in_mid_call_supersedes_its_worker(
    product: Product, replicate: TalkativeServer, clock: time_machine.Traveller
) -> None:
    """Whatever that worker then hears, the reference stays."""
    replicate.tell = lambda: _call_back(product, replicate)
    job = product.submit(TRACK)
    product.deliver()
    _run(product, clock, 120)
    done = product.job(job["id"])
    assert (done["status"], replicate.generations) == ("succeeded", 1)


def test_a_callback_overtaken_by_its_workers_release_is_still_heard(
    product: Product, replicate: TalkativeServer, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has read the job while the call was under way, and writes when the job is back in the line."""
    jobs, seen = wiring.dependencies().callbacks.jobs, []
    job = product.submit(TRACK)
    replicate.tell = lambda: seen.append(jobs.find(job["id"]))
    product.deliver()
    with monkeypatch.context() as patch:
        patch.setattr(type(jobs), "find", lambda *_: seen[0])
        _call_back(product, replicate)
    _run(product, clock, 120)
    assert (product.job(job["id"])["status"], replicate.generations) == ("succeeded", 1)
