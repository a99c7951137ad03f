"""Items that version 0.1 wrote are read, ended and settled."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine

from local.stand_ins.model import ModelServer
from local.stand_ins.replicate import ReplicateServer
from tests.harness.aws import BUCKET, SECRET, TABLE
from tests.harness.product import Product

ITEMS = json.loads((Path(__file__).parent / "items/0.1.json").read_text())
WRITTEN_AT = 1_764_000_000.0  # epoch seconds
CAPS = {"usd": 5, "open_jobs": 9}
Deploy = Callable[..., Product]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that a test moves; it starts at the time at which the items were written."""
    with time_machine.travel(WRITTEN_AT, tick=False) as coordinates:
        yield coordinates


def _put(product: Product, situation: str) -> list[str]:
    """Write the items of a situation, and return the ids of its jobs."""
    for item in ITEMS[situation]:
        product.aws.dynamodb.put_item(TableName=TABLE, Item=item)
    return [item["id"]["S"] for item in ITEMS[situation] if item["pk"]["S"].startswith("job#")]


def _run(product: Product, clock: time_machine.Traveller, minutes: int, step: int = 30) -> None:
    for _ in range(minutes * 60 // step):
        product.sweep()
        product.deliver()
        clock.shift(step)


def _settled(product: Product) -> bool:
    """Whether no budget counts an open job any more."""
    items: list[dict[str, Any]] = product.aws.dynamodb.scan(TableName=TABLE)["Items"]
    budgets = [item for item in items if item["pk"]["S"].startswith("budget#")]
    return bool(budgets) and all(budget["waiting"]["N"] == "0" for budget in budgets)


def test_waiting_jobs_and_a_follower_succeed(
    product_with: Deploy, model_server: ModelServer, clock: time_machine.Traveller
) -> None:
    """Jobs with slots of version 0.1 start, and a follower of version 0.1 gets its leader's result."""
    product = product_with(owner_caps=CAPS, limits={"*": {"windows": [[1, 60]], "max_concurrent": 1}})
    jobs = _put(product, "waiting")
    _run(product, clock, 10)
    assert [product.job(job)["status"] for job in jobs] == ["succeeded"] * 3
    assert (model_server.generations, _settled(product)) == (2, True)


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
