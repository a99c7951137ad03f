"""An owner retries, deletes and cancels jobs, and its caps limit its jobs and its spending."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import time_machine
from longplay.storage.switch import KEY

from local.stand_ins.model import ModelServer
from tests.harness.aws import BUCKET, TABLE
from tests.harness.budgets import budgets_of
from tests.harness.product import Product
from tests.harness.units import counted_units

TRACK = {"prompt": "smooth saxophone with walking bass", "genre": "jazz", "duration": 1}


def test_a_failed_job_is_retried_as_a_new_one(product: Product, model_server: ModelServer) -> None:
    """A retry creates one new job with the same request, and a repeated retry gets that job."""
    model_server.fault("invalid", times=1)
    job = product.submit(TRACK)
    product.deliver()
    first, second = (product.post(f"/jobs/{job['id']}/retry") for _ in range(2))
    assert (first.status, first.json["retry_of"], first.headers["Location"]) == (
        202,
        job["id"],
        f"../{first.json['id']}",
    )
    assert second.json["id"] == first.json["id"]
    product.deliver()
    assert product.job(first.json["id"])["status"] == "succeeded"


@pytest.mark.parametrize(("asked", "seconds"), [({}, 3_600), ({"deadline_seconds": 60}, 60)])
def test_a_retry_has_as_much_time_as_its_job_had(product: Product, asked: dict[str, int], seconds: int) -> None:
    """The deadline of a retry is as far away as that of the job was when it was submitted."""
    job = product.submit({**TRACK, **asked})
    product.post(f"/jobs/{job['id']}/cancel")
    with time_machine.travel(time.time() + 30, tick=False):
        again = product.post(f"/jobs/{job['id']}/retry").json
        assert (again["deadline_seconds"], _seconds(again["created_at"], again["deadline"])) == (seconds, seconds)


def test_a_retry_keeps_to_the_longest_deadline_of_today(product_with: Callable[..., Product]) -> None:
    """A job from before the operator shortened the deadlines gets the longest one."""
    job = product_with().submit({**TRACK, "deadline_seconds": 7_200})
    product = product_with(longest_deadline=3_600)
    product.post(f"/jobs/{job['id']}/cancel")
    assert product.post(f"/jobs/{job['id']}/retry").json["deadline_seconds"] == 3_600


def _seconds(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def test_a_job_that_succeeded_is_not_retried(product: Product) -> None:
    """A retry of a succeeded job gets 409 `not_retryable`."""
    job = product.submit(TRACK)
    product.deliver()
    assert product.post(f"/jobs/{job['id']}/retry").json["code"] == "not_retryable"


def test_deleting_erases_prompt_and_files(product: Product) -> None:
    """A delete gets 204. The job then gets 410, its files and its prompt are gone, and its ledger is kept."""
    job = product.submit(TRACK)
    product.deliver()
    assert product.delete(f"/jobs/{job['id']}").status == 204
    assert product.get(f"/jobs/{job['id']}").status == 410
    assert product.aws.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    items = str(product.aws.dynamodb.scan(TableName=TABLE)["Items"])
    assert str(TRACK["prompt"]) not in items
    assert "succeeded" in items


def test_a_job_that_has_not_ended_is_not_deleted(product: Product) -> None:
    """A job in progress gets 409 `not_finished`, because it must be canceled first."""
    job = product.submit(TRACK)
    assert product.delete(f"/jobs/{job['id']}").json["code"] == "not_finished"


def test_an_owner_cannot_delete_the_job_of_another(product: Product) -> None:
    """A delete of another owner's job gets 404, as one of an unknown job does."""
    job = product.submit(TRACK)
    product.deliver()
    assert product.delete(f"/jobs/{job['id']}", key="lp_bob_secret00").status == 404


def _budget(product: Product) -> tuple[int, int, int]:
    """The dollars this owner has used or reserved, in millionths, the open jobs, and all jobs of the day."""
    [budget] = (budget for key, budget in budgets_of(product.aws.dynamodb).items() if key.startswith("alice#"))
    return budget["used"], budget["waiting"], budget["jobs"]


def test_a_job_reserves_its_possible_cost_and_settles_its_charge(product_with: Callable[..., Product]) -> None:
    """The price of two charges is reserved at first, and the price of one is used at the end."""
    product = product_with(owner_caps={"usd": 1})
    product.submit(TRACK)
    assert _budget(product) == (10_000, 1, 1)
    product.deliver()
    assert _budget(product) == (5_000, 0, 1)


def test_ends_do_not_meet_at_the_budget_of_all(product_with: Callable[..., Product]) -> None:
    """Only a submit writes to that item, so that many ends a second fail or slow each other no more than others do."""
    product = product_with(deployment_caps={"usd": 1})
    with counted_units(product.aws.dynamodb, TABLE) as units:
        product.submit(TRACK)
        submitted = units.written["budget"]
        product.deliver()
    assert (submitted, units.written["budget"], units.written["returned"]) == (2, 2, 2)


ANOTHER = {**TRACK, "prompt": "another"}
CAPS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "dollars": ({"usd": 0.012}, "over_daily_budget", {"usd_left": 0.002, "held_usd": 0.01}),
    "jobs": ({"jobs": 1}, "over_daily_budget", {"jobs_left": 0}),
    "open jobs": ({"open_jobs": 1}, "too_many_open_jobs", {"open_jobs_left": 0}),
}


@pytest.mark.parametrize(("caps", "code", "room"), CAPS.values(), ids=CAPS.keys())
@pytest.mark.parametrize("whose", ["owner_caps", "deployment_caps"])
def test_a_job_over_a_cap_is_refused(
    product_with: Callable[..., Product], whose: str, caps: dict[str, Any], code: str, room: dict[str, Any]
) -> None:
    """The answer is 429 with the code and the rest of the cap, and says that nothing was created."""
    product = product_with(**{whose: caps})
    product.submit(TRACK)
    refused = product.post("/generate", ANOTHER)
    assert (refused.status, refused.json["code"], refused.json["retryable"]) == (429, code, True)
    assert {name: refused.json[name] for name in room} == room
    assert "Nothing was created" in refused.json["detail"]


def _at_noon(clock: time_machine.Traveller) -> None:
    clock.move_to(time.time() // 86_400 * 86_400 + 43_200)


@pytest.mark.parametrize("caps", [{"open_jobs": 1}, {"usd": 0.012}], ids=str)
def test_room_that_open_jobs_take_comes_back_when_they_end(
    product_with: Callable[..., Product], clock: time_machine.Traveller, caps: dict[str, Any]
) -> None:
    """Retry-After is the time until the open job is expected to end (20 s), and there is room then."""
    product = product_with(owner_caps=caps)
    _at_noon(clock)
    job = product.submit(TRACK)
    clock.shift(8)
    assert product.post("/generate", ANOTHER).headers["Retry-After"] == "12"
    clock.shift(12)
    product.post(f"/jobs/{job['id']}/cancel")
    product.submit(ANOTHER)


def test_the_first_of_several_open_jobs_frees_a_place(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """Three jobs whose ends are expected in 20, 80 and 140 s: a place is expected after 40 s, half their mean."""
    product = product_with(owner_caps={"open_jobs": 3}, limits={"*": {"windows": [[1, 60]]}}, start_tolerance=0)
    for n in range(3):
        product.submit({**TRACK, "prompt": f"song {n}"})
    assert product.post("/generate", ANOTHER).headers["Retry-After"] == "40"
    clock.shift(3_000)
    assert product.post("/generate", ANOTHER).headers["Retry-After"] == "5"


@pytest.mark.parametrize("caps", [{"jobs": 1}, {"jobs": 1, "open_jobs": 1}, {"usd": 0.008}], ids=str)
def test_a_used_up_day_resets_at_midnight(
    product_with: Callable[..., Product], clock: time_machine.Traveller, caps: dict[str, Any]
) -> None:
    """Retry-After leads to midnight (UTC), also if a cap on open jobs is reached too; a new day has room."""
    product = product_with(owner_caps=caps)
    _at_noon(clock)
    product.submit({**TRACK, "max_charges": 1})
    if "usd" in caps:
        product.deliver()
    refused = product.post("/generate", {**ANOTHER, "max_charges": 1})
    assert (refused.json["code"], refused.headers["Retry-After"]) == ("over_daily_budget", "43200")
    assert refused.json["resets_at"].endswith("T00:00:00Z")
    assert refused.json["resets_at"] in refused.json["detail"]
    product.deliver()
    clock.shift(43_200)
    product.submit({**ANOTHER, "max_charges": 1})


def test_the_cap_that_lasts_longest_is_told(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """If the owner has no place and the deployment no job left today, the answer is that of the deployment."""
    product = product_with(owner_caps={"open_jobs": 1}, deployment_caps={"jobs": 1})
    product.submit(TRACK)
    assert product.post("/generate", ANOTHER).json["code"] == "over_daily_budget"


def test_open_jobs_still_count_after_midnight(product_with: Callable[..., Product]) -> None:
    """The cap on open jobs does not reset at midnight; a job gives its room back when it ends."""
    product = product_with(owner_caps={"open_jobs": 2})
    midnight = (int(time.time()) // 86_400 + 1) * 86_400
    with time_machine.travel(midnight - 60, tick=False) as clock:
        for n in range(2):
            product.submit({**TRACK, "prompt": f"song {n}"})
        clock.shift(120)
        refused = product.post("/generate", {**TRACK, "prompt": "another"})
        assert (refused.json["code"], refused.json["open_jobs_left"]) == ("too_many_open_jobs", 0)
        assert int(refused.headers["Retry-After"]) <= 5
        product.deliver()
        clock.shift(31)
        product.submit({**TRACK, "prompt": "another"})


@pytest.mark.parametrize("whose", ["owner_caps", "deployment_caps"])
@pytest.mark.parametrize(("usd", "advice"), [(0.001, "ask the operator"), (0.008, "`max_charges: 1`")])
def test_a_job_that_costs_more_than_the_cap_is_not_retryable(
    product_with: Callable[..., Product], whose: str, usd: float, advice: str
) -> None:
    """A job that fits on no day gets 422 with the amount it needs, without Retry-After."""
    refused = product_with(**{whose: {"usd": usd, "jobs": 1}}).post("/generate", TRACK)
    assert (refused.status, refused.json["code"], refused.json["retryable"]) == (422, "exceeds_budget", False)
    assert (refused.json["needs_usd"], refused.headers.get("Retry-After")) == (0.01, None)
    assert advice in refused.json["detail"]


@pytest.mark.parametrize("end", ["cancel", "fail", "overdue"])
def test_a_job_without_a_charge_gives_its_reserved_amount_back(
    product_with: Callable[..., Product], model_server: ModelServer, end: str
) -> None:
    """The budget is back at zero after a cancel, a failure, or a passed deadline without a charge."""
    product = product_with(owner_caps={"usd": 1})
    model_server.fault("invalid" if end == "fail" else "loading", times=None)
    job = product.submit(TRACK)
    if end == "cancel":
        product.post(f"/jobs/{job['id']}/cancel")
    product.deliver()
    with time_machine.travel(time.time() + 3_700, tick=False):
        product.sweep()
    assert _budget(product) == (0, 0, 1)


def test_a_replay_takes_nothing_from_the_budget(product_with: Callable[..., Product]) -> None:
    """Three requests with one key count as one job."""
    product = product_with(owner_caps={"jobs": 1})
    for _ in range(3):
        product.submit(TRACK, Idempotency_Key="same")
    assert _budget(product)[2] == 1


def test_a_key_of_an_expired_job_creates_a_new_job(product: Product) -> None:
    """A request with the key of an expired job replaces that job with a new one of the same id."""
    first = product.submit(TRACK, Idempotency_Key="same")
    product.deliver()
    with time_machine.travel(time.time() + 9 * 86_400, tick=False):
        again = product.post("/generate", TRACK, Idempotency_Key="same").json
    assert (again["id"], again["created_at"] > first["created_at"]) == (first["id"], True)


def test_a_paused_deployment_refuses_new_jobs_and_finishes_the_others(product: Product) -> None:
    """During a pause a new job gets 503 with Retry-After, and a queued job succeeds."""
    job = product.submit(TRACK)
    until = {"pk": {"S": KEY}, "paused_until": {"N": str(time.time() + 600)}}
    product.aws.dynamodb.put_item(TableName=TABLE, Item=until)
    with time_machine.travel(time.time() + 31, tick=False):
        refused = product.post("/generate", TRACK)
        product.deliver()
        assert (refused.status, refused.json["code"], refused.json["retryable"]) == (503, "paused", True)
        assert 560 <= int(refused.headers["Retry-After"]) <= 600
        assert product.job(job["id"])["status"] == "succeeded"


def test_a_result_that_comes_after_a_cancel_is_kept_and_charged(
    product: Product, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a job is canceled during its call, it stays canceled, and its result is kept and charged."""
    job = product.submit(TRACK)
    answer = model_server.answer

    def cancel_first(*args: Any) -> Any:
        product.post(f"/jobs/{job['id']}/cancel")
        return answer(*args)

    monkeypatch.setattr(model_server, "answer", cancel_first)
    product.deliver()
    done = product.job(job["id"])
    assert (done["status"], done["cost"]["charged_usd"], len(done["outputs"])) == ("canceled", 0.005, 1)
