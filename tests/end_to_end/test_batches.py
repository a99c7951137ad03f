"""A batch on the deployed stack, with the permissions of its functions."""

from __future__ import annotations

import json
from typing import Any

import requests

from tests.end_to_end.deployed_stack import DeployedStack, eventually
from tests.harness.images import data_uri, encoded_image

TRACK = {"model": "musicgen-small", "duration": 1}


def test_a_batch_is_let_in_read_and_listed(stack: DeployedStack) -> None:
    """JSONL in, JSONL out; one line has an image, and one is not valid and skipped."""
    asked: list[dict[str, Any]] = [
        {"prompt": f"a batched wave {number}", "custom_id": f"wave-{number}", **TRACK} for number in range(3)
    ]
    asked += [{"model": "svd", "image": data_uri(encoded_image())}, {"prompt": "too long", "duration": 9_000}]
    body = "\n".join(map(json.dumps, asked))
    answer = stack.post("/batches?on_error=skip", data=body, headers={"Idempotency-Key": "batch"})
    assert (answer.status_code, answer.json()["counts"]["refused"]) == (202, 1), answer.text
    batch = answer.json()["id"]
    assert stack.post("/batches?on_error=skip", data=body, headers={"Idempotency-Key": "batch"}).json()["id"] == batch
    eventually(lambda: stack.get(f"/batches/{batch}").json()["status"] == "ended")
    assert stack.get(f"/batches/{batch}").json()["counts"]["succeeded"] == 4
    results = stack.get(f"/batches/{batch}/results")
    assert results.headers["Content-Type"] == "application/jsonl"
    lines = [json.loads(line) for line in results.text.splitlines()]
    assert [line.get("custom_id") for line in lines] == ["wave-0", "wave-1", "wave-2", None, None]
    assert [line["status"] for line in lines] == ["succeeded"] * 4 + ["refused"]
    link = stack.get("/" + lines[0]["job"]["outputs"][0]["link"], key=None)
    assert requests.get(link.headers["Location"], timeout=30).content[:4] == b"RIFF"
    assert batch in [each["id"] for each in stack.get("/batches").json()["batches"]]
    assert len(stack.get(f"/jobs?batch={batch}").json()["jobs"]) == 4


def test_a_batch_is_canceled(stack: DeployedStack) -> None:
    """Its jobs are canceled or have ended, and no line becomes a job any more."""
    body = [{"prompt": f"a long wave {number}", **TRACK} for number in range(40)]
    batch = stack.post("/batches", body).json()["id"]
    eventually(lambda: stack.get(f"/batches/{batch}").json()["let_in"] > 0)
    canceled = stack.post(f"/batches/{batch}/cancel")
    assert (canceled.status_code, canceled.json()["status"]) == (202, "canceling")
    eventually(lambda: stack.get(f"/batches/{batch}").json()["status"] == "canceled")
    counts = stack.get(f"/batches/{batch}").json()["counts"]
    assert counts["canceled"] > 0
    assert counts["canceled"] + counts["succeeded"] == 40
