"""Equal requests share one generation and its file."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import boto3
import pytest
import time_machine

from local.stand_ins.model import ModelServer
from tests.harness.aws import BUCKET, TABLE
from tests.harness.aws_faults import in_between
from tests.harness.budgets import budgets_of
from tests.harness.product import Product

TRACK = {"prompt": "peaceful piano melody", "genre": "classical", "duration": 1}


def _run(product: Product, clock: time_machine.Traveller, seconds: int = 60) -> None:
    for _ in range(seconds):
        product.deliver()
        clock.shift(1)


def test_a_cached_result_comes_at_once_and_costs_nothing(product: Product, model_server: ModelServer) -> None:
    """An equal request gets 200 and a succeeded job with its own copy of the file, at no charge."""
    product.submit(TRACK)
    product.deliver()
    answer = product.post("/generate", TRACK)
    job = answer.json
    assert (answer.status, job["status"], job["cached"], job["cost"]["charged_usd"]) == (200, "succeeded", True, 0)
    assert product.file(job) == product.file(product.job(job["id"]))
    assert model_server.generations == 1
    assert product.messages() == []


def test_a_result_that_comes_after_a_cancel_is_cached_too(
    product: Product, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is paid for: an equal request gets it at no charge."""
    job, answer = product.submit(TRACK), model_server.answer

    def cancel_first(*args: Any) -> Any:
        product.post(f"/jobs/{job['id']}/cancel")
        return answer(*args)

    monkeypatch.setattr(model_server, "answer", cancel_first)
    product.deliver()
    again = product.post("/generate", TRACK)
    assert (again.status, again.json["cached"], model_server.generations) == (200, True, 1)


def test_a_request_whose_leader_goes_as_it_joins_leads_at_once(
    product: Product, clock: time_machine.Traveller, model_server: ModelServer
) -> None:
    """It does not wait for a look at the one that it was about to follow."""
    leader, client = product.submit(TRACK), boto3.client("dynamodb")
    items = product.aws.dynamodb.scan(TableName=TABLE)["Items"]
    [entry] = (item["pk"] for item in items if item["pk"]["S"].startswith("cache#"))
    with ExitStack() as then:

        def goes() -> None:
            client.delete_item(TableName=TABLE, Key={"pk": entry})

        # the first write finds the leader, the second one would join it
        then.enter_context(
            in_between(
                client,
                "TransactWriteItems",
                lambda: then.enter_context(in_between(client, "TransactWriteItems", goes)),
            )
        )
        second = product.submit(TRACK)
    assert second["id"] != leader["id"]
    product.deliver()
    assert product.job(second["id"])["status"] == "succeeded"
    assert model_server.generations == 2


def test_a_number_is_the_same_however_it_is_written(product: Product, model_server: ModelServer) -> None:
    """A duration of 1 and one of 1.0 are equal requests."""
    product.submit({**TRACK, "duration": 1})
    product.deliver()
    assert product.post("/generate", {**TRACK, "duration": 1.0}).json["cached"] is True


def test_fresh_generates_again(product: Product, model_server: ModelServer) -> None:
    """A request with `fresh` starts a new generation although the cache has a result."""
    product.submit(TRACK)
    product.deliver()
    again = product.submit({**TRACK, "fresh": True})
    product.deliver()
    assert model_server.generations == 2
    assert product.job(again["id"])["cached"] is False


def test_results_of_one_owner_are_not_given_to_another(product: Product) -> None:
    """By default an equal request of another owner is a new job."""
    product.submit(TRACK)
    product.deliver()
    assert product.post("/generate", TRACK, key="lp_bob_secret00").status == 202


def test_owners_can_share_results(product_with: Callable[..., Product], model_server: ModelServer) -> None:
    """With `cache` set to `deployment`, an equal request of another owner gets the cached result."""
    product = product_with(cache="deployment")
    product.submit(TRACK)
    product.deliver()
    assert product.post("/generate", TRACK, key="lp_bob_secret00").status == 200


def test_equal_requests_in_flight_make_one_call(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """The first of equal requests leads, the others follow it. Their waits name no job, as it may be foreign."""
    leader, *followers = (product.submit(TRACK) for _ in range(3))
    waits = [job["wait"] for job in followers]
    assert {wait["reason"] for wait in waits} == {"coalesced"}
    assert leader["id"] not in waits[0]["basis"]
    _run(product, clock)
    assert {product.job(job["id"])["status"] for job in (leader, *followers)} == {"succeeded"}
    assert model_server.generations == 1


def test_a_follower_takes_the_lead_when_its_leader_fails(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """A follower of a job that failed makes its own call, and succeeds."""
    model_server.fault("invalid", times=1)
    leader, follower = product.submit(TRACK), product.submit(TRACK)
    _run(product, clock)
    assert [product.job(job["id"])["status"] for job in (leader, follower)] == ["failed", "succeeded"]


def test_followers_are_told_when_their_leader_ends(
    product_with: Callable[..., Product], model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """The leader starts after an hour. Each of its four followers looks a few times, and has the file with it."""
    product = product_with(limits={"*": {"windows": [[1, 3_600]]}}, horizon=None)
    product.submit({"prompt": "another"})
    jobs = [product.submit({**TRACK, "deadline_seconds": 14_400})["id"] for _ in range(5)]
    deliveries = 0
    for _ in range(3_700 // 10):
        deliveries += product.deliver()
        product.sweep()
        clock.shift(10)
    ends = {product.job(job)["completed_at"] for job in jobs[1:]}
    print(f"{deliveries} deliveries in an hour, for four followers")
    assert ({product.job(job)["status"] for job in jobs}, len(ends)) == ({"succeeded"}, 1)
    assert (model_server.generations, deliveries <= 4 * 12 + 6) == (2, True)


def test_followers_follow_the_one_that_takes_the_lead(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """The leader fails: one of three followers makes a call, and the others are told when that has ended."""
    model_server.fault("invalid", times=1)
    leader, *followers = (product.submit(TRACK)["id"] for _ in range(4))
    for _ in range(6):
        product.deliver()
    assert product.job(leader)["status"] == "failed"
    assert {product.job(job)["status"] for job in followers} == {"succeeded"}
    assert model_server.generations == 1


def test_a_follower_takes_the_lead_when_its_leader_is_canceled(
    product: Product, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """A follower of a job that was canceled while it waited makes the only call, and succeeds."""
    leader, follower = product.submit(TRACK), product.submit(TRACK)
    product.post(f"/jobs/{leader['id']}/cancel")
    _run(product, clock)
    assert [product.job(job["id"])["status"] for job in (leader, follower)] == ["canceled", "succeeded"]
    assert model_server.generations == 1


FULL = {
    "line": {"limits": {"*": {"windows": [[1, 600]]}}, "horizon": 300},
    "pushed line": {"limits": {"*": {"windows": [[1, 600]]}}, "horizon": 1},
    "dollars": {"owner_caps": {"usd": 0.01}},
    "jobs": {"deployment_caps": {"jobs": 1}},
    "open jobs": {"owner_caps": {"open_jobs": 1}},
}


@pytest.mark.parametrize("settings", FULL.values(), ids=FULL.keys())
def test_an_equal_request_needs_no_slot_and_no_budget(
    product_with: Callable[..., Product],
    model_server: ModelServer,
    clock: time_machine.Traveller,
    settings: dict[str, Any],
) -> None:
    """It follows, or gets the cached result, where another request is refused. With `fresh` it is refused too."""
    product = product_with(**settings)
    leader, follower = product.submit(TRACK), product.submit(TRACK)
    assert (follower["wait"]["reason"], follower["wait"].get("position")) == ("coalesced", None)
    assert product.post("/generate", {**TRACK, "fresh": True}).status == 429
    _run(product, clock)
    assert [product.job(job["id"])["status"] for job in (leader, follower)] == ["succeeded", "succeeded"]
    assert product.post("/generate", TRACK).status == 200
    assert model_server.generations == 1


def _caps_in_use(product: Product) -> list[tuple[int, int]]:
    return [(budget["used"], budget["waiting"]) for budget in budgets_of(product.aws.dynamodb).values()]


def test_a_follower_takes_its_budget_with_the_lead(
    product_with: Callable[..., Product], model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """A follower reserves nothing. It reserves its cost when it takes the lead, and settles it at its end."""
    product = product_with(owner_caps={"usd": 1})
    leader, follower = product.submit(TRACK), product.submit(TRACK)
    assert _caps_in_use(product) == [(10_000, 1)]
    product.post(f"/jobs/{leader['id']}/cancel")
    assert _caps_in_use(product) == [(0, 0)]
    while product.job(follower["id"])["wait"].get("reason") == "coalesced":
        product.deliver()
        clock.shift(1)
    assert _caps_in_use(product) == [(10_000, 1)]
    _run(product, clock)
    assert (product.job(follower["id"])["status"], _caps_in_use(product)) == ("succeeded", [(5_000, 0)])


def test_a_follower_waits_for_room_among_the_open_jobs(
    product_with: Callable[..., Product],
    model_server: ModelServer,
    clock: time_machine.Traveller,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its leader was canceled and a slow job has its place: it waits, looks ever less often, and then succeeds."""
    product = product_with(owner_caps={"open_jobs": 1})
    leader, follower = product.submit(TRACK), product.submit(TRACK)
    product.post(f"/jobs/{leader['id']}/cancel")
    other = product.submit({**TRACK, "prompt": "another"})
    model_server.fault("throttled", retry_after=200, times=1)
    _run(product, clock, 190)
    assert product.job(follower["id"])["wait"]["reason"] == "budget"
    assert 4 <= sum(vars(record).get("outcome") == "waits: budget" for record in caplog.records) <= 12
    _run(product, clock, 100)
    assert [product.job(job["id"])["status"] for job in (other, follower)] == ["succeeded", "succeeded"]


def test_a_follower_without_budget_for_today_fails(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """Its leader was canceled and the day's jobs are used up: it fails at once, says why, and cost nothing."""
    product = product_with(owner_caps={"jobs": 1})
    clock.move_to(clock_at_noon())
    leader, follower = product.submit(TRACK), product.submit(TRACK)
    product.post(f"/jobs/{leader['id']}/cancel")
    _run(product, clock)
    failed = product.job(follower["id"])
    assert (failed["status"], failed["error"]["charged"], failed["error"]["retryable"]) == ("failed", "no", True)
    assert failed["error"]["code"] == "over_daily_budget"
    assert "without a result" in failed["error"]["message"]


def clock_at_noon() -> float:
    """Today's noon (UTC), far from the midnight at which caps reset."""
    return time.time() // 86_400 * 86_400 + 43_200


def test_a_cached_result_without_its_file_is_generated_again(product: Product, model_server: ModelServer) -> None:
    """A cache entry whose file is missing in the bucket counts as no result."""
    first = product.submit(TRACK)
    product.deliver()
    for entry in product.aws.s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        product.aws.s3.delete_object(Bucket=BUCKET, Key=entry["Key"])
    again = product.submit(TRACK)
    product.deliver()
    assert product.job(again["id"])["status"] == "succeeded"
    assert (again["id"] != first["id"], model_server.generations) == (True, 2)


def test_the_cache_can_be_off(product_with: Callable[..., Product], model_server: ModelServer) -> None:
    """With `cache` set to `off`, each of two equal requests starts a generation."""
    product = product_with(cache="off")
    for _ in range(2):
        product.submit(TRACK)
    while product.deliver():
        pass
    assert model_server.generations == 2


def test_a_request_without_budget_does_not_follow_a_job_that_is_gone(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """While an equal job is alive, a request beyond the cap shares its result; later it is refused."""
    product = product_with(owner_caps={"jobs": 1})
    product.submit({**TRACK, "deadline_seconds": 60})
    assert product.submit(TRACK)["wait"]["reason"] == "coalesced"
    clock.shift(300)
    refused = product.post("/generate", TRACK)
    assert (refused.status, refused.json["code"]) == (429, "over_daily_budget")
