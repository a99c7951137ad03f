"""Jobs that wait for room among the calls that a provider's account allows at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
import time_machine
import wiring
from longplay.domain.errors import Unavailable
from longplay.storage.limiter import Limiter

from local.stand_ins.replicate import ReplicateServer
from tests.harness.product import Product
from tests.stories.actions import kill_after_submit, sweep_for

TRACK = {"prompt": "powerful guitar riffs", "model": "musicgen-large", "duration": 2}


@pytest.fixture
def replicate() -> Iterator[ReplicateServer]:
    """Replicate's stand-in; a prediction is done at its third poll."""
    with ReplicateServer(quick=True, polls=3) as server:
        yield server


@pytest.fixture
def product(product_with: Callable[..., Product], replicate: ReplicateServer) -> Product:
    """A deployment whose Replicate account allows one call at once."""
    return product_with(servers={"replicate": replicate.url}, limits={"replicate": {"max_concurrent": 1}}, cache="off")


def _track(product: Product, n: int, **body: object) -> str:
    return str(product.submit({**TRACK, "prompt": f"song {n}", **body})["id"])


def _statuses(product: Product, jobs: list[str]) -> list[str]:
    return [product.job(job)["status"] for job in jobs]


def _run_until_over(product: Product, clock: time_machine.Traveller, jobs: list[str], *, minutes: int = 60) -> int:
    """Deliver messages each second, and sweep each minute, until no job is open. Returns the number of deliveries."""
    deliveries = 0
    for second in range(60 * minutes):
        deliveries += product.deliver()
        if second % 60 == 59:
            product.sweep()
        if all(status == "succeeded" for status in _statuses(product, jobs)):
            break
        clock.shift(1)
    return deliveries


def test_the_end_of_a_call_starts_the_job_that_has_waited_longest(
    product: Product, clock: time_machine.Traveller, replicate: ReplicateServer
) -> None:
    """Five jobs and one call at once: in order, one after the other, and no job looks for room again and again."""
    begin, jobs = time.time(), [_track(product, n) for n in range(5)]
    deliveries = _run_until_over(product, clock, jobs)
    ended = [product.job(job)["completed_at"] for job in jobs]
    alone = (time.time() - begin) / 5
    print(f"{deliveries} deliveries for five jobs of {alone:.0f} s")
    assert ended == sorted(ended)
    assert (_statuses(product, jobs), replicate.generations) == (["succeeded"] * 5, 5)
    assert deliveries <= 5 * 5 + 4  # a call and four polls each, and four looks without room


def test_a_canceled_job_passes_its_room_on(
    product: Product, clock: time_machine.Traveller, replicate: ReplicateServer
) -> None:
    """The second of three is canceled while it waits for room; the third comes after the first."""
    first, second, third = (_track(product, n) for n in range(3))
    product.deliver()
    product.post(f"/jobs/{second}/cancel")
    _run_until_over(product, clock, [first, third], minutes=3)
    assert _statuses(product, [first, second, third]) == ["succeeded", "canceled", "succeeded"]


def test_the_end_of_a_failed_generation_starts_the_next_job(
    product: Product, clock: time_machine.Traveller, replicate: ReplicateServer
) -> None:
    """The job that waits for room is told at once; by itself it would look five minutes later."""
    replicate.fault("failed", times=1)
    first, second = _track(product, 1, max_charges=1), _track(product, 2)
    _run_until_over(product, clock, [second], minutes=3)
    assert _statuses(product, [first, second]) == ["failed", "succeeded"]


def test_a_failed_job_gives_its_room_back_although_its_worker_has_died(
    product: Product, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its deadline is a day away; the next job starts once the crash is resolved."""
    first, second = _track(product, 1, max_charges=1, deadline_seconds=86_400), _track(product, 2)
    monkeypatch.setattr(time, "sleep", clock.shift)
    kill_after_submit(product, monkeypatch)
    sweep_for(product, clock, 20)
    assert _statuses(product, [first, second]) == ["failed", "succeeded"]


def test_room_that_could_not_be_given_back_is_found(
    product: Product, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS fails whenever the first job's room is given back. The next job looks up what the call has become."""
    first = _track(product, 1, deadline_seconds=86_400)
    with monkeypatch.context() as patch:
        patch.setattr(Limiter, "call_ends", _unavailable)
        _run_until_over(product, clock, [first], minutes=3)
    second = _track(product, 2)
    assert wiring.dependencies()._limiter.line("replicate").leases.keys() == {first}
    _run_until_over(product, clock, [second], minutes=3)
    assert _statuses(product, [first, second]) == ["succeeded", "succeeded"]


def _unavailable(*_: object, **__: object) -> None:
    raise Unavailable("PutItem: InternalServerError")
