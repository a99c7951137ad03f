"""`GET /usage`: what an owner's jobs came to, to the millionth, and what room there is."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from local.stand_ins.model import ModelServer
from local.stand_ins.replicate import ReplicateServer
from tests.harness.aws import TABLE
from tests.harness.product import Product

TRACK = {"prompt": "a calm cello", "model": "musicgen-small", "duration": 2}
NONE = {"jobs": 0, "succeeded": 0, "failed": 0, "canceled": 0, "cached": 0, "charged_usd": 0, "unknown_usd": 0}
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def _today(product: Product, **query: int) -> dict[str, Any]:
    answer = product.get("/usage" + "".join(f"?{name}={value}" for name, value in query.items()))
    assert answer.status == 200, answer.body
    return dict(answer.json["today"])


def test_without_a_job_everything_is_zero(product: Product) -> None:
    """Today, this month, and today again in the list of days; without caps and limits there are none to tell."""
    usage = product.get("/usage").json
    assert usage["today"] == usage["month"] == usage["days"][0]["usage"] == {**NONE, "by_model": {}}
    assert ("caps" in usage, usage["providers"]) == (False, {})


def test_a_job_counts_when_it_ends(product: Product) -> None:
    """Not before; then with its charge, and once more without one where it came from the cache."""
    product.submit(TRACK)
    assert _today(product)["jobs"] == 0
    product.deliver()
    one = {**NONE, "jobs": 1, "succeeded": 1, "charged_usd": 0.005}
    assert _today(product) == {**one, "by_model": {"musicgen-small": one}}
    product.post("/generate", TRACK)
    assert _today(product)["by_model"]["musicgen-small"] == {**one, "jobs": 2, "succeeded": 2, "cached": 1}


def test_each_end_counts_as_what_it_is(product: Product, model_server: ModelServer, clock: Any) -> None:
    """A cancel, a failure without a charge, and one that may have cost twice, each for its model."""
    product.post(f"/jobs/{product.submit(TRACK)['id']}/cancel")
    model_server.fault("invalid", times=1)
    product.submit({**TRACK, "prompt": "b"})
    product.deliver()
    model_server.fault("drop", times=None)
    product.submit({**TRACK, "model": "musicgen-large"})
    for _ in range(40):
        product.deliver()
        clock.shift(15)
    counted = _today(product)["by_model"]
    assert counted["musicgen-small"] == {**NONE, "jobs": 2, "canceled": 1, "failed": 1}
    assert (counted["musicgen-large"]["failed"], counted["musicgen-large"]["unknown_usd"] > 0) == (1, True)
    assert _today(product)["jobs"] == 3


def test_a_job_that_is_canceled_at_its_provider_counts_when_its_charge_is_known(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """A canceled prediction counts when its provider was asked for the last time, with the charge as the job has it."""
    with ReplicateServer(quick=True, polls=3) as server:
        product = product_with(servers={"replicate": server.url})
        job = product.submit({**TRACK, "model": "musicgen-large"})
        product.deliver()
        product.post(f"/jobs/{job['id']}/cancel")
        first = _today(product)
        for _ in range(40):
            product.sweep()
            product.deliver()
            clock.shift(15)
        cost, last = product.job(job["id"])["cost"], _today(product)
    assert (first["jobs"], last["jobs"], last["canceled"]) == (0, 1, 1)
    assert (last["charged_usd"], last["unknown_usd"]) == (cost["charged_usd"], cost["unknown_usd"])


def test_days_and_months_are_told_apart(product: Product) -> None:
    """By UTC, the latest day first; a month begins with its first day."""
    with time_machine.travel(NOON, tick=False) as clock:
        for days in (0, 3, 30):  # 4 March, 7 March, 6 April
            clock.move_to(NOON.timestamp() + days * 86_400)
            product.submit({**TRACK, "prompt": f"day {days}"})
            product.deliver()
        usage = product.get("/usage?days=31").json
    found = {day["day"]: day["usage"]["jobs"] for day in usage["days"]}
    assert {day: jobs for day, jobs in found.items() if jobs} == {"2026-04-03": 1, "2026-03-07": 1, "2026-03-04": 1}
    assert (next(iter(found)), len(found), usage["month"]["jobs"], usage["today"]["jobs"]) == ("2026-04-03", 31, 1, 1)


def test_an_owner_sees_its_own_usage_alone(product: Product) -> None:
    """Another key shows nothing of it."""
    product.submit(TRACK)
    product.deliver()
    assert product.get("/usage", key="lp_bob_secret00").json["month"] == {**NONE, "by_model": {}}


def test_the_rest_of_the_caps_is_told(product_with: Callable[..., Product]) -> None:
    """With what open jobs reserve, and what has been given back."""
    product = product_with(owner_caps={"usd": 1, "jobs": 9, "open_jobs": 2}, cache="off")
    product.submit(TRACK)
    reserved = {"usd_left": 0.99, "held_usd": 0.01, "jobs_left": 8, "open_jobs_left": 1}
    assert product.get("/usage").json["caps"] == reserved
    product.deliver()
    settled = {"usd_left": 0.995, "held_usd": 0.0, "jobs_left": 8, "open_jobs_left": 2}
    assert product.get("/usage").json["caps"] == settled


def test_the_rest_of_each_providers_windows_is_told(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """For all callers together: what is left now, and when a new job would start."""
    product = product_with(limits={"*": {"windows": [[1, 10], [3, 3_600]]}}, cache="off")
    for prompt in ("a", "b"):
        product.submit({**TRACK, "prompt": prompt})
    room = product.get("/usage").json["providers"]["*"]
    starts = datetime.fromisoformat(room["next_slot_at"]).timestamp() - time.time()
    assert (round(starts), [window["left"] for window in room["starts_left"]]) == (20, [0, 1])
    assert [(window["starts"], window["seconds"]) for window in room["starts_left"]] == [(1, 10), (3, 3_600)]


@pytest.mark.parametrize("days", ["0", "401", "", "1.5", "٣", "-1", "9" * 5_000])
def test_a_number_of_days_out_of_bounds_is_refused(product: Product, days: str) -> None:
    """It names the parameter and its bound."""
    refused = product.get(f"/usage?days={days}")
    assert (refused.status, refused.json["field"], "1 to 400" in refused.json["detail"]) == (400, "days", True)


def test_usage_outlives_the_jobs(product: Product) -> None:
    """The items are kept for more than a year, and a deleted job stays counted."""
    job = product.submit(TRACK)
    product.deliver()
    product.delete(f"/jobs/{job['id']}")
    items = product.aws.dynamodb.scan(TableName=TABLE)["Items"]
    [item] = (item for item in items if item["pk"]["S"].startswith("usage#"))
    assert int(item["expires_at"]["N"]) > time.time() + 400 * 86_400
    assert _today(product)["jobs"] == 1
