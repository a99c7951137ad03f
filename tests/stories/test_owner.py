"""What an owner can do with a job, and what its caps let it spend."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from longplay.storage.switch import KEY

from local.stand_ins.model import ModelServer
from tests.harness.aws import BUCKET, TABLE
from tests.harness.product import Product

TRACK = {"prompt": "smooth saxophone with walking bass", "genre": "jazz", "duration": 1}


def test_a_failed_job_is_retried_as_a_new_one(product: Product, model_server: ModelServer) -> None:
    """The same request; however often it is asked, one new job."""
    model_server.fault("invalid", times=2)
    job = product.submit(TRACK)
    product.deliver()
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


def test_a_job_that_succeeded_is_not_retried(product: Product) -> None:
    """409: there is nothing to mend."""
    job = product.submit(TRACK)
    product.deliver()
    assert product.post(f"/jobs/{job['id']}/retry").json["code"] == "not_retryable"


def test_deleting_erases_prompt_and_files(product: Product) -> None:
    """204, then 410; the ledger keeps what it cost."""
    job = product.submit(TRACK)
    product.deliver()
    assert product.delete(f"/jobs/{job['id']}").status == 204
    assert product.get(f"/jobs/{job['id']}").status == 410
    assert product.aws.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    items = str(product.aws.dynamodb.scan(TableName=TABLE)["Items"])
    assert str(TRACK["prompt"]) not in items
    assert "succeeded" in items


def test_a_job_that_has_not_ended_is_not_deleted(product: Product) -> None:
    """409: cancel first."""
    job = product.submit(TRACK)
    assert product.delete(f"/jobs/{job['id']}").json["code"] == "not_finished"


def test_nobody_deletes_anothers_job(product: Product) -> None:
    """404, as for an unknown one."""
    job = product.submit(TRACK)
    product.deliver()
    assert product.delete(f"/jobs/{job['id']}", key="lp_bob_secret00").status == 404


def _budget(product: Product) -> dict[str, Any]:
    items = product.aws.dynamodb.scan(TableName=TABLE)["Items"]
    return next(item for item in items if item["pk"]["S"].startswith("budget#alice#"))


def test_a_job_holds_what_it_may_cost_and_settles_what_it_did(product_with: Callable[..., Product]) -> None:
    """Two possible charges are held, one is spent."""
    product = product_with(owner_caps={"usd": 1})
    product.submit(TRACK)
    assert (_budget(product)["used"]["N"], _budget(product)["waiting"]["N"]) == ("10000", "1")
    product.deliver()
    assert (_budget(product)["used"]["N"], _budget(product)["waiting"]["N"]) == ("5000", "0")


CAPS = {
    "dollars": ({"usd": 0.012}, "usd_left", 0.002),
    "jobs": ({"jobs": 1}, "jobs_left", 0),
    "open jobs": ({"open_jobs": 1}, "open_jobs_left", 0),
}


@pytest.mark.parametrize(("caps", "left", "amount"), CAPS.values(), ids=CAPS.keys())
@pytest.mark.parametrize("whose", ["owner_caps", "deployment_caps"])
def test_over_a_cap_nothing_is_created(
    product_with: Callable[..., Product], whose: str, caps: dict[str, Any], left: str, amount: float
) -> None:
    """429 with what is left and when it resets."""
    product = product_with(**{whose: caps})
    product.submit(TRACK)
    refused = product.post("/generate", {**TRACK, "prompt": "another"})
    assert (refused.status, refused.json["code"], refused.json[left]) == (429, "over_budget", amount)
    assert refused.json["resets_at"].endswith("T00:00:00Z")
    assert int(refused.headers["Retry-After"]) > 0


def test_jobs_still_open_at_midnight_count_on(product_with: Callable[..., Product]) -> None:
    """A new day brings new dollars and a new count, but no room among the open jobs that was not given back."""
    product = product_with(owner_caps={"open_jobs": 2})
    midnight = (int(time.time()) // 86_400 + 1) * 86_400
    with time_machine.travel(midnight - 60, tick=False) as clock:
        for n in range(2):
            product.submit({**TRACK, "prompt": f"song {n}"})
        clock.shift(120)
        refused = product.post("/generate", {**TRACK, "prompt": "another"})
        assert (refused.status, refused.json["open_jobs_left"]) == (429, 0)
        product.deliver()
        clock.shift(31)
        product.submit({**TRACK, "prompt": "another"})


def test_a_job_dearer_than_the_whole_cap_is_refused(product_with: Callable[..., Product]) -> None:
    """Even on an empty day."""
    product = product_with(owner_caps={"usd": 0.001})
    assert product.post("/generate", TRACK).json["code"] == "over_budget"


@pytest.mark.parametrize("end", ["cancel", "fail", "overdue"])
def test_a_job_that_cost_nothing_gives_its_hold_back(
    product_with: Callable[..., Product], model_server: ModelServer, end: str
) -> None:
    """Whatever ends it."""
    product = product_with(owner_caps={"usd": 1})
    model_server.fault("invalid" if end == "fail" else "loading", times=None)
    job = product.submit(TRACK)
    if end == "cancel":
        product.post(f"/jobs/{job['id']}/cancel")
    product.deliver()
    with time_machine.travel(time.time() + 3_700, tick=False):
        product.sweep()
    assert (_budget(product)["used"]["N"], _budget(product)["waiting"]["N"]) == ("0", "0")


def test_a_replay_takes_nothing_from_the_budget(product_with: Callable[..., Product]) -> None:
    """The key's job is found before anything is held."""
    product = product_with(owner_caps={"jobs": 1})
    for _ in range(3):
        product.submit(TRACK, Idempotency_Key="same")
    assert _budget(product)["jobs"]["N"] == "1"


def test_an_expired_key_starts_anew(product: Product) -> None:
    """A job that has expired is replaced by one under the same key."""
    first = product.submit(TRACK, Idempotency_Key="same")
    product.deliver()
    with time_machine.travel(time.time() + 9 * 86_400, tick=False):
        again = product.post("/generate", TRACK, Idempotency_Key="same").json
    assert (again["id"], again["created_at"] > first["created_at"]) == (first["id"], True)


def test_paused_deployments_take_no_jobs_and_finish_those_they_have(product: Product) -> None:
    """503 with Retry-After."""
    job = product.submit(TRACK)
    until = {"pk": {"S": KEY}, "paused_until": {"N": str(time.time() + 600)}}
    product.aws.dynamodb.put_item(TableName=TABLE, Item=until)
    with time_machine.travel(time.time() + 31, tick=False):
        refused = product.post("/generate", TRACK)
        product.deliver()
        assert (refused.status, refused.json["code"]) == (503, "paused")
        assert 560 <= int(refused.headers["Retry-After"]) <= 600
        assert product.job(job["id"])["status"] == "succeeded"


def test_a_result_for_a_job_canceled_meanwhile_is_kept_and_charged(
    product: Product, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was paid for is not thrown away; the status stays."""
    job = product.submit(TRACK)
    answer = model_server.answer

    def cancel_first(*args: Any) -> Any:
        product.post(f"/jobs/{job['id']}/cancel")
        return answer(*args)

    monkeypatch.setattr(model_server, "answer", cancel_first)
    product.deliver()
    done = product.job(job["id"])
    assert (done["status"], done["cost"]["charged_usd"], len(done["outputs"])) == ("canceled", 0.005, 1)
