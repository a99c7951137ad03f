"""An Idempotency-Key that is used for more than one request: no job gets the file of another."""

from __future__ import annotations

import hashlib
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from longplay.storage.files import ResultBucket

from local.stand_ins.model import ModelServer
from tests.harness.aws import BUCKET
from tests.harness.product import Product
from tests.stories.actions import kill_before_the_call, sweep_for

TRACK = {"prompt": "smooth saxophone with walking bass", "genre": "jazz", "duration": 1}


def test_a_key_that_is_used_again_does_not_bring_the_file_of_its_old_job(
    product: Product, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old file is still in the bucket when the new job's worker crashes: the call is made again."""
    product.submit(TRACK, Idempotency_Key="order-7")
    product.deliver()
    old = _keys(product)
    with time_machine.travel(time.time() + 9 * 86_400, tick=False) as clock:
        job = product.submit({**TRACK, "prompt": "calm piano"}, Idempotency_Key="order-7")
        kill_before_the_call(product, monkeypatch)
        clock.shift(400)
        sweep_for(product, clock, 3)
        done = product.job(job["id"])
    assert [attempt["charged"] for attempt in done["attempts"]] == ["unknown", "yes"]
    [output] = done["outputs"]
    assert [key for key in old if key in output["url"]] == []
    assert (set(old) < set(_keys(product)), model_server.generations) == (True, 2)


def test_two_requests_that_race_for_one_key_get_no_file_of_each_other(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are answered from the cache; the second copies its file while the first creates the job."""
    first, second = TRACK, {**TRACK, "prompt": "calm piano"}
    files = [product.file(product.job(_made(product, body))) for body in (first, second)]
    copy, won = ResultBucket.copy, []

    def copy_late(*arguments: Any) -> Any:
        monkeypatch.undo()
        won.append(product.post("/generate", first, Idempotency_Key="order-7").json)
        return copy(*arguments)

    monkeypatch.setattr(ResultBucket, "copy", copy_late)
    lost = product.post("/generate", second, Idempotency_Key="order-7")
    assert (lost.status, lost.json["code"]) == (422, "idempotency_key_reused")
    [output] = won[0]["outputs"]
    assert hashlib.sha256(_fetched(product, output["url"])).hexdigest() == output["sha256"]
    assert files[0] != files[1]
    assert product.delete(f"/jobs/{won[0]['id']}").status == 204
    assert [key for key in _keys(product) if won[0]["id"] in key] == []


def _made(product: Product, body: dict[str, Any]) -> str:
    job = str(product.submit(body)["id"])
    product.deliver()
    return job


def _keys(product: Product) -> list[str]:
    return [entry["Key"] for entry in product.aws.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]


def _fetched(product: Product, url: str) -> bytes:
    """The file that a presigned URL leads to."""
    key = urlsplit(url).path.removeprefix("/")
    return bytes(product.aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
