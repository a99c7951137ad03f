"""An id that cannot be ours is an unknown job, and a path that does not exist is a problem too."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.harness.aws_calls import recorded_calls
from tests.harness.product import Answer, Product

IDS = [
    "🎹",
    "%00",
    "\x00",
    "\x85",
    '"',
    "'; DROP TABLE jobs; --",
    "a" * 65,
    "é" * 30,
    "\ud800",
    "{id}",
    "..",
    "%2e%2e",
    "a b",
    "{'a': 1}",
    "job#1",
    "日本",
    "\u202e",
    "`",
    "a\nb",
]


def _answers(product: Product, job_id: str) -> list[Answer]:
    path = f"/jobs/{job_id}"
    read, deleted = product.get(path), product.delete(path)
    return [
        read,
        deleted,
        product.get(f"{path}/outputs/0"),
        *(product.post(f"{path}/{do}") for do in ("cancel", "retry")),
    ]


@pytest.mark.parametrize("job_id", IDS, ids=range(len(IDS)))
def test_an_id_of_any_form_is_an_unknown_job(product: Product, job_id: str) -> None:
    """Each use case of a job answers as it does for an unknown one."""
    unknown = product.get("/jobs/nosuchjob")
    for answer in _answers(product, job_id):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (answer.status, answer.json) == (404, unknown.json)


@pytest.mark.parametrize("job_id", ["a" * 65, "é" * 30, "..", "a b", "%00", "日本", "{id}"])
def test_an_id_that_cannot_be_ours_is_not_asked_for(product_with: Callable[..., Product], job_id: str) -> None:
    """DynamoDB refuses some keys as a fault of ours, so only ids of our form reach it."""
    with recorded_calls() as calls:
        product = product_with()
        product.get("/jobs/nosuchjob")
        assert [call.name for call in calls] == ["GetItem"]
        calls.clear()
        assert [answer.status for answer in _answers(product, job_id)] == [404] * 5
        assert calls == []


@pytest.mark.parametrize("n", ["🎹", "-1", "1e9", "00", "%00", '"', "\ud800", "9" * 400])
def test_an_output_of_any_number_is_not_found(product: Product, n: str) -> None:
    """A finished job has one file, and any other number gets 404."""
    job = product.submit({"prompt": "calm guitar", "duration": 1})
    product.deliver()
    answer = product.get(f"/jobs/{job['id']}/outputs/{n}")
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/", "/generate", "/job", "/models/x", "/🎹", "/health/"])
def test_a_path_of_no_use_case_is_a_problem(product: Product, path: str) -> None:
    """The answer is that of API Gateway to an unknown path, and a slash at the end is no fault."""
    answer = product.get(path)
    if path == "/health/":
        assert answer.status == 200
    else:
        assert (answer.status, answer.json["code"]) == (404, "not_found")
        assert "POST /generate" in answer.json["detail"]
