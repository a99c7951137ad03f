"""Items that version 0.1 wrote are read, ended and settled, and it can read those of this version after a rollback."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from longplay.storage.table import from_item

from local.stand_ins.model import ModelServer
from local.stand_ins.replicate import ReplicateServer
from tests.harness import version_0_1
from tests.harness.aws import BUCKET, SECRET, TABLE
from tests.harness.budgets import budgets_of
from tests.harness.product import Product

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ITEMS = json.loads((HERE / "items/0.1.json").read_text())
TRACK = {"prompt": "smooth saxophone with walking bass", "genre": "jazz", "duration": 1}
WRITTEN_AT = 1_764_000_000.0  # epoch seconds
CAPS = {"usd": 5, "open_jobs": 9}
Deploy = Callable[..., Product]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[time_machine.Traveller]:
    """A clock that a test moves, and a sleep too; it starts at the time at which the items were written."""
    with time_machine.travel(WRITTEN_AT, tick=False) as coordinates:
        monkeypatch.setattr(time, "sleep", coordinates.shift)
        yield coordinates


def _put(product: Product, situation: str, *, without: str = "") -> list[str]:
    """Write the items of a situation, and return the ids of its jobs."""
    for written in ITEMS[situation]:
        item = {name: value for name, value in written.items() if name != without}
        product.aws.dynamodb.put_item(TableName=TABLE, Item=item)
    return [item["id"]["S"] for item in ITEMS[situation] if item["pk"]["S"].startswith("job#")]


def _run(product: Product, clock: time_machine.Traveller, minutes: int, step: int = 30) -> None:
    for _ in range(minutes * 60 // step):
        product.sweep()
        product.deliver()
        clock.shift(step)


def _settled(product: Product) -> bool:
    """Whether no budget counts an open job any more."""
    budgets = budgets_of(product.aws.dynamodb).values()
    return bool(budgets) and all(budget["waiting"] == 0 for budget in budgets)


def test_waiting_jobs_and_a_follower_succeed(
    product_with: Deploy, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """Jobs with slots of version 0.1 start, and a follower of version 0.1 gets its leader's result."""
    product = product_with(owner_caps=CAPS, limits={"*": {"windows": [[1, 60]], "max_concurrent": 1}})
    jobs = _put(product, "waiting")
    _run(product, clock, 10)
    assert [product.job(job)["status"] for job in jobs] == ["succeeded"] * 3
    assert (model_server.generations, _settled(product)) == (2, True)


@pytest.mark.parametrize("caps", [{"owner_caps": CAPS}, {"owner_caps": CAPS, "deployment_caps": CAPS}, {}], ids=str)
def test_amounts_of_jobs_that_do_not_name_their_budgets_are_settled(
    product_with: Deploy, model_server: ModelServer, clock: time_machine.Traveller, caps: dict[str, Any]
) -> None:
    """The first jobs of version 0.1 have no `held_by`: the budgets that count jobs of their day are settled."""
    product = product_with(**caps, limits={"*": {"windows": [[1, 60]], "max_concurrent": 1}})
    jobs = _put(product, "waiting", without="held_by")
    _run(product, clock, 10)
    assert [product.job(job)["status"] for job in jobs] == ["succeeded"] * 3
    assert _settled(product)


def test_an_owner_with_one_open_job_of_version_0_1_is_not_locked_out(
    product_with: Deploy, clock: time_machine.Traveller
) -> None:
    """When that job has ended, the owner may submit the next one."""
    product = product_with(owner_caps={"open_jobs": 1})
    [job] = _put(product, "crashed", without="held_by")
    assert product.post("/generate", TRACK).json["code"] == "too_many_open_jobs"
    _run(product, clock, 20)
    assert product.job(job)["status"] == "succeeded"
    product.submit(TRACK)


def test_every_released_version_has_items_that_are_read() -> None:
    """The items of a version are kept when the next one begins."""
    text = (ROOT / "CHANGELOG.md").read_text()
    released = re.findall(r"^## (\d+\.\d+)\.", text, re.MULTILINE)[1:]
    assert released
    assert [version for version in released if not (HERE / f"items/{version}.json").exists()] == []


def test_version_0_1_reads_what_this_version_writes(
    product_with: Deploy, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """After a rollback: jobs, followers, waits, ends, lines, budgets, cache entries and closed routes."""
    paced = {"*": {"windows": [[1, 10], [60, 3_600]], "max_concurrent": 2}}
    product = product_with(owner_caps={"usd": 5, "open_jobs": 4}, limits=paced)
    model_server.fault("throttled", retry_after=20, times=1)
    model_server.fault("gone", times=1)
    model_server.fault("invalid", prompt="song 2", times=None)
    jobs = [product.submit({"prompt": f"song {n}", "duration": 1}) for n in range(4)]
    follower = product.submit({"prompt": "song 3", "duration": 1})
    product.post(f"/jobs/{jobs[3]['id']}/cancel")
    product.submit({"prompt": "song 4", "duration": 1})
    reasons = set()
    for _ in range(40):
        items = [from_item(item) for item in product.aws.dynamodb.scan(TableName=TABLE)["Items"]]
        read = [version_0_1.read(item) for item in items]
        reasons |= {item["wait"].get("exact") for item in items if item.get("wait")}
        product.deliver()
        clock.shift(5)
    assert product.job(follower["id"])["status"] == "succeeded"
    assert {type(item).__name__ for item in read} >= {"Job", "Line", "Entry", "Budget", "Circuit"}
    assert "budget" in reasons


def test_a_crashed_job_is_taken_over(
    product_with: Deploy, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """The ledger keeps the attempt of version 0.1 with an unknown charge, and a second attempt succeeds."""
    product = product_with(owner_caps=CAPS)
    [job] = _put(product, "crashed")
    _run(product, clock, 20)
    done = product.job(job)
    assert [attempt["charged"] for attempt in done["attempts"]] == ["unknown", "yes"]
    assert (done["status"], _settled(product)) == ("succeeded", True)


def test_a_file_that_version_0_1_stored_is_found_after_a_crash(
    product_with: Deploy, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """It lies in a folder with the name of its job, and ends the job without another call."""
    product = product_with(owner_caps=CAPS)
    [job] = _put(product, "crashed")
    key = f"jobs/{job}/1/0"
    output = {"key": key, "content_type": "audio/wav", "bytes": 4, "sha256": hashlib.sha256(b"RIFF").hexdigest()}
    metadata = {"output": json.dumps(output), "count": "1"}
    product.aws.s3.put_object(Bucket=BUCKET, Key=key, Body=b"RIFF", Metadata=metadata)
    _run(product, clock, 20)
    done = product.job(job)
    assert (done["status"], done["outputs"][0]["bytes"], model_server.generations) == ("succeeded", 4, 0)
    assert product.delete(f"/jobs/{job}").status == 204
    assert "Contents" not in product.aws.s3.list_objects_v2(Bucket=BUCKET)


def test_a_job_at_its_provider_is_canceled_and_closed(product_with: Deploy, clock: time_machine.Traveller) -> None:
    """The provider has forgotten the generation, so its charge stays unknown."""
    with ReplicateServer(quick=True, token="r8_token") as server:
        product = product_with(servers={"replicate": server.url}, owner_caps=CAPS)
        product.aws.secrets.put_secret_value(SecretId=SECRET, SecretString=json.dumps({"replicate": "r8_token"}))
        [job] = _put(product, "at the provider")
        assert product.post(f"/jobs/{job}/cancel").json["status"] == "canceled"
        _run(product, clock, 150, step=60)
        assert (product.job(job)["status"], _settled(product)) == ("canceled", True)
