"""Thousands of hostile requests to every route: each is refused by name, and nothing is created."""

from __future__ import annotations

import os

from tests.harness.aws import BUCKET, TABLE
from tests.harness.product import Answer, Product
from tests.stories.hostile import Hostile, hostile_requests

REQUESTS = int(os.environ.get("HOSTILE_REQUESTS", "5000"))
SEED = int(os.environ.get("HOSTILE_SEED", "7"))


def _answer(product: Product, request: Hostile) -> Answer:
    if request.method == "CALLBACK":
        return product.call_back(request.path, request.body)
    if request.method == "POST":
        return product.post(request.path, request.body, **request.headers)
    return product.get(request.path) if request.method == "GET" else product.delete(request.path)


def test_hostile_requests_are_refused_by_name(product: Product) -> None:
    """No answer is a 5xx, each is problem+json that names the field and the bound, and nothing is created."""
    for n, request in enumerate(hostile_requests(SEED, REQUESTS)):
        answer = _answer(product, request)
        shown = f"request {n} of seed {SEED}: {str(request)[:500]} got {answer.body[:500]}"
        assert answer.status == request.status, shown
        assert answer.headers["Content-Type"] == "application/problem+json", shown
        assert (answer.json.get("field"), answer.json["charged"]) == (request.named, "no"), shown
        assert [bound for bound in request.bounds if bound not in answer.json["detail"]] == [], shown
    assert product.aws.dynamodb.scan(TableName=TABLE)["Count"] == 0
    assert product.aws.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    assert product.messages() == []
