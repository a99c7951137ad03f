"""Jobs of an account with limits start at reserved slots, and their callers see when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError
from longplay.storage.limiter import Limiter

from local.stand_ins.model import ModelServer
from tests.harness.aws_calls import recorded_calls
from tests.harness.product import Product

ONE_IN_TEN_SECONDS = {"*": {"windows": [[1, 10]]}}


def _submit(product: Product, prompt: str) -> dict[str, Any]:
    return product.submit({"prompt": prompt, "duration": 1})


def test_each_job_reports_its_start_and_its_position(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """With one start in ten seconds, the first job starts at once and the third in twenty seconds."""
    product = product_with(limits=ONE_IN_TEN_SECONDS, start_tolerance=0)
    waits = [_submit(product, f"song {n}")["wait"] for n in range(3)]
    assert [wait["reason"] for wait in waits] == ["concurrency", "provider_quota", "provider_quota"]
    assert [round(wait["eta_seconds"]) for wait in waits] == [20, 30, 40]
    assert [wait["position"] for wait in waits[1:]] == [1, 2]


def test_callers_that_poll_do_not_read_the_line_each_time(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """Ten polls within five seconds read the account's line once; after that it is read again."""
    with recorded_calls() as calls:
        product = product_with(limits=ONE_IN_TEN_SECONDS, start_tolerance=0)
        jobs = [_submit(product, f"song {n}") for n in range(3)]
        calls.clear()
        for _ in range(5):
            waits = [product.job(job["id"])["wait"]["position"] for job in jobs[1:]]
        clock.shift(5)
        product.job(jobs[1]["id"])
    assert waits == [1, 2]
    assert [call.read for call in calls].count(("limit",)) == 2


def test_jobs_start_at_their_slots_and_no_call_is_refused(
    product_with: Callable[..., Product], clock: time_machine.Traveller, model_server: ModelServer
) -> None:
    """Three jobs start ten seconds apart, and all succeed."""
    product = product_with(limits=ONE_IN_TEN_SECONDS, start_tolerance=0)
    jobs = [_submit(product, f"song {n}") for n in range(3)]
    for _ in range(21):
        product.deliver()
        clock.shift(1)
    starts = [round(request.started_at) for request in model_server.requests]
    assert [start - starts[0] for start in starts] == [0, 10, 20]
    assert {product.job(job["id"])["status"] for job in jobs} == {"succeeded"}


def test_a_message_comes_before_its_slot_and_the_worker_waits(
    product_with: Callable[..., Product], clock: time_machine.Traveller, model_server: ModelServer
) -> None:
    """The message of the second job comes a second early, and its call starts at the slot."""
    product = product_with(limits=ONE_IN_TEN_SECONDS, start_tolerance=0)
    for prompt in ("one", "two"):
        _submit(product, prompt)
    assert product.deliver() == 1
    clock.shift(9)
    assert product.deliver() == 1
    first, second = (request.started_at for request in model_server.requests)
    assert 10 <= second - first < 10.1


def test_a_throttled_call_delays_every_slot(
    product_with: Callable[..., Product], clock: time_machine.Traveller, model_server: ModelServer
) -> None:
    """After a 429, every waiting job starts later by the same time, in the same order."""
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


def test_an_hour_asked_for_by_the_provider_costs_one_refusal(
    product_with: Callable[..., Product], clock: time_machine.Traveller, model_server: ModelServer
) -> None:
    """Of twenty jobs one is sent into it; the others wait with it, and all succeed."""
    product = product_with(limits=ONE_IN_TEN_SECONDS, cache="off")
    model_server.fault("throttled", retry_after=3_600, times=1)
    jobs = [product.submit({"prompt": f"song {n}", "duration": 1, "deadline_seconds": 20_000}) for n in range(20)]
    for _ in range(10):
        product.deliver()
        clock.shift(20)
    assert len(model_server.requests) == 1
    while len(model_server.requests) < 21:
        product.sweep()
        product.deliver()
        clock.shift(60)
    assert {product.job(job["id"])["status"] for job in jobs} == {"succeeded"}


def test_a_late_message_gets_a_new_slot(
    product_with: Callable[..., Product], clock: time_machine.Traveller, model_server: ModelServer
) -> None:
    """A message that comes five seconds late is moved, so that starts stay ten seconds apart."""
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
    """The next job gets the slot of the canceled one."""
    product = product_with(limits=ONE_IN_TEN_SECONDS, start_tolerance=0)
    _, second, _ = (_submit(product, f"song {n}") for n in range(3))
    product.post(f"/jobs/{second['id']}/cancel")
    assert _submit(product, "another")["wait"]["slot_at"] == second["wait"]["slot_at"]


def test_no_more_calls_at_once_than_the_account_allows(
    product_with: Callable[..., Product],
    clock: time_machine.Traveller,
    model_server: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With `max_concurrent` 1, a job that comes during a call waits, says why, and is served after it."""
    product = product_with(limits={"*": {"max_concurrent": 1}})
    first, second = _submit(product, "one"), _submit(product, "two")
    bodies = {message["Body"] for message in product.messages()}
    second_message = next(body for body in bodies if second["id"] in body)
    answer = model_server.answer

    def deliver_the_other(*request: Any) -> Any:
        monkeypatch.setattr(model_server, "answer", answer)
        product.hand_over(second_message)
        return answer(*request)

    monkeypatch.setattr(model_server, "answer", deliver_the_other)
    product.hand_over(next(body for body in bodies if first["id"] in body))
    waiting = product.job(second["id"])
    assert (waiting["status"], waiting["wait"]["reason"], waiting["attempts"]) == ("queued", "concurrency", [])
    clock.shift(6)
    product.deliver()
    assert {product.job(job["id"])["status"] for job in (first, second)} == {"succeeded"}


def test_a_job_beyond_the_horizon_is_refused(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """A job that would wait too long gets 429 with Retry-After, and reserves no slot."""
    product = product_with(limits=ONE_IN_TEN_SECONDS, start_tolerance=0, horizon=15)
    _submit(product, "one"), _submit(product, "two")
    refused = product.post("/generate", {"prompt": "three"})
    assert (refused.status, refused.json["code"], refused.headers["Retry-After"]) == (429, "line_too_long", "5")
    assert refused.json["retryable"] is True
    clock.shift(10)
    assert round(_submit(product, "four")["wait"]["eta_seconds"]) == 30


def test_a_job_that_would_start_after_its_deadline_is_refused(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """Also well within the horizon: it would only wait to fail. The one behind it takes the slot."""
    product = product_with(limits={"*": {"windows": [[1, 600]]}}, start_tolerance=0)
    _submit(product, "one")
    refused = product.post("/generate", {"prompt": "two", "deadline_seconds": 60})
    assert (refused.status, refused.json["code"], refused.headers["Retry-After"]) == (429, "line_too_long", "540")
    assert "60 s" in refused.json["detail"]
    assert _submit(product, "three")["wait"]["reason"] == "provider_quota"


def test_a_replay_reserves_no_slot(product_with: Callable[..., Product], clock: time_machine.Traveller) -> None:
    """Repeats of one idempotency key reserve one slot."""
    product = product_with(limits=ONE_IN_TEN_SECONDS, start_tolerance=0)
    for _ in range(3):
        product.submit({"prompt": "one"}, Idempotency_Key="same")
    assert round(_submit(product, "two")["wait"]["eta_seconds"]) == 30


def test_a_message_is_sent_when_its_slot_is_near(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """SQS delays a message by 15 minutes at most, so the sweeper sends the messages of later slots."""
    product = product_with(limits={"*": {"windows": [[1, 1000]]}}, start_tolerance=1)
    _submit(product, "one")
    far = _submit(product, "two")
    assert product.deliver() == 1
    clock.shift(720)
    product.sweep()
    clock.shift(282)
    assert product.deliver() == 1
    assert product.job(far["id"])["status"] == "succeeded"


def test_a_paid_result_is_kept_if_the_table_fails_after_the_call(
    product_with: Callable[..., Product],
    model_server: ModelServer,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The result is stored before any other write, so a failing write does not lose it."""
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


def _fail(*_: Any, **__: Any) -> None:
    raise ClientError({"Error": {"Code": "InternalServerError"}}, "PutItem")
