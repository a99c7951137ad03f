"""Jobs of a paced account start when its provider allows, and say when that will be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError
from longplay.storage.limiter import Limiter

from local.stand_ins.model import ModelServer
from tests.harness.product import Product

ONE_IN_TEN_SECONDS = {"*": {"windows": [[1, 10]]}}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time that moves only when a test says so."""
    with time_machine.travel(time.time(), tick=False) as coordinates:
        yield coordinates


def _submit(product: Product, prompt: str) -> dict[str, Any]:
    return product.submit({"prompt": prompt, "duration": 1})


def test_each_job_is_told_its_slot_and_its_place(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """The first starts at once, the third in twenty seconds."""
    product = product_with(limits=ONE_IN_TEN_SECONDS, start_tolerance=0)
    waits = [_submit(product, f"song {n}")["wait"] for n in range(3)]
    assert [wait["reason"] for wait in waits] == ["concurrency", "provider_quota", "provider_quota"]
    assert [round(wait["eta_seconds"]) for wait in waits] == [20, 30, 40]
    assert [wait["position"] for wait in waits[1:]] == [1, 2]


def test_jobs_start_at_their_slots_and_no_call_is_refused(
    product_with: Callable[..., Product], clock: time_machine.Traveller, model_server: ModelServer
) -> None:
    """One every ten seconds, each by the message that was sent for it."""
    product = product_with(limits=ONE_IN_TEN_SECONDS, start_tolerance=0)
    jobs = [_submit(product, f"song {n}") for n in range(3)]
    for _ in range(21):
        product.deliver()
        clock.shift(1)
    starts = [round(request.started_at) for request in model_server.requests]
    assert [start - starts[0] for start in starts] == [0, 10, 20]
    assert {product.job(job["id"])["status"] for job in jobs} == {"succeeded"}


def test_a_refused_call_moves_the_whole_line(
    product_with: Callable[..., Product], clock: time_machine.Traveller, model_server: ModelServer
) -> None:
    """Nobody herds: after a 429 everybody's start is later by as much, in order."""
    product = product_with(limits=ONE_IN_TEN_SECONDS, start_tolerance=0)
    first, second = _submit(product, "one"), _submit(product, "two")
    model_server.fault("throttled", retry_after=60, times=1)
    product.deliver()
    etas = [round(product.job(job["id"])["wait"]["eta_seconds"]) for job in (first, second)]
    assert etas == [80, 90]
    for _ in range(80):
        product.deliver()
        clock.shift(1)
    assert [product.job(job["id"])["status"] for job in (first, second)] == ["succeeded", "succeeded"]
    accepted = [round(request.started_at) for request in model_server.requests if request.status == 200]
    assert accepted[1] - accepted[0] == 10


def test_a_late_start_harms_nobody(
    product_with: Callable[..., Product], clock: time_machine.Traveller, model_server: ModelServer
) -> None:
    """A message that comes five seconds late would crowd the next start: it gets a slot of its own."""
    product = product_with(limits=ONE_IN_TEN_SECONDS, start_tolerance=0)
    jobs = [_submit(product, f"song {n}") for n in range(2)]
    clock.shift(5)
    for _ in range(40):
        product.deliver()
        clock.shift(1)
    starts = sorted(request.started_at for request in model_server.requests)
    assert len(starts) == 2
    assert starts[1] - starts[0] >= 10
    assert {product.job(job["id"])["status"] for job in jobs} == {"succeeded"}


def test_a_canceled_job_gives_its_slot_back(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """Whoever comes next starts then."""
    product = product_with(limits=ONE_IN_TEN_SECONDS, start_tolerance=0)
    _, second, _ = (_submit(product, f"song {n}") for n in range(3))
    product.post(f"/jobs/{second['id']}/cancel")
    assert _submit(product, "late comer")["wait"]["slot_at"] == second["wait"]["slot_at"]


def test_no_more_calls_at_once_than_the_account_allows(
    product_with: Callable[..., Product],
    clock: time_machine.Traveller,
    model_server: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second job that comes while a call is under way lets go, says why, and is served after."""
    product = product_with(limits={"*": {"max_concurrent": 1}})
    first, second = _submit(product, "one"), _submit(product, "two")
    bodies = {message["Body"] for message in product.messages()}
    meanwhile = next(body for body in bodies if second["id"] in body)
    answer = model_server.answer

    def deliver_the_other(*asked: Any) -> Any:
        monkeypatch.setattr(model_server, "answer", answer)
        product.hand_over(meanwhile)
        return answer(*asked)

    monkeypatch.setattr(model_server, "answer", deliver_the_other)
    product.hand_over(next(body for body in bodies if first["id"] in body))
    waiting = product.job(second["id"])
    assert (waiting["status"], waiting["wait"]["reason"], waiting["attempts"]) == ("queued", "concurrency", [])
    clock.shift(6)
    product.deliver()
    assert {product.job(job["id"])["status"] for job in (first, second)} == {"succeeded"}


def test_a_line_that_is_too_long_is_said_before_a_job_exists(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """429 with Retry-After, and no slot is burnt."""
    product = product_with(limits=ONE_IN_TEN_SECONDS, start_tolerance=0, horizon=15)
    _submit(product, "one"), _submit(product, "two")
    refused = product.post("/generate", {"prompt": "three"})
    assert (refused.status, refused.json["code"], refused.headers["Retry-After"]) == (429, "line_too_long", "5")
    clock.shift(10)
    assert round(_submit(product, "four")["wait"]["eta_seconds"]) == 30


def test_a_replay_burns_no_slot(product_with: Callable[..., Product], clock: time_machine.Traveller) -> None:
    """The same key again takes no place in line."""
    product = product_with(limits=ONE_IN_TEN_SECONDS, start_tolerance=0)
    for _ in range(3):
        product.submit({"prompt": "one"}, Idempotency_Key="same")
    assert round(_submit(product, "two")["wait"]["eta_seconds"]) == 30


def test_a_far_slot_has_no_message_until_it_is_near(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """SQS delays a message by 15 minutes at most: the sweeper sends the rest when their time comes."""
    product = product_with(limits={"*": {"windows": [[1, 1000]]}}, start_tolerance=1)
    _submit(product, "one")
    far = _submit(product, "two")
    assert product.deliver() == 1
    clock.shift(720)
    product.sweep()
    clock.shift(282)
    assert product.deliver() == 1
    assert product.job(far["id"])["status"] == "succeeded"


def test_a_paid_result_is_kept_though_its_room_cannot_be_given_up(
    product_with: Callable[..., Product],
    model_server: ModelServer,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was paid for is stored before anything else is written: a table that fails then loses nothing."""
    product = product_with(limits={"*": {"max_concurrent": 1}})
    job = product.submit({"prompt": "one", "max_charges": 1})
    with monkeypatch.context() as patch:
        patch.setattr(Limiter, "call_ends", _fail)
        with pytest.raises(ClientError):
            product.deliver()
    for _ in range(30):
        clock.shift(30)
        product.sweep()
        product.deliver()
    assert (product.job(job["id"])["status"], model_server.generations) == ("succeeded", 1)


def _fail(*_: Any) -> None:
    raise ClientError({"Error": {"Code": "InternalServerError"}}, "PutItem")
