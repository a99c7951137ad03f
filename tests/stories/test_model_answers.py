"""Two hundred answers of models: for each the ledger, the file and the message are right.

The run's summary has a row for each answer.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
import wiring

from local.stand_ins.model import ModelServer
from tests.harness.aws import TABLE
from tests.harness.media import image_file
from tests.harness.model_answers import ModelAnswer, model_answers
from tests.harness.operators import OPERATORS
from tests.harness.product import Product
from tests.harness.summaries import ANSWER

PART = 25
REQUESTS: dict[str, dict[str, Any]] = {
    "music": {"model": "musicgen-small", "duration": 2},
    "image": {"model": "stable-diffusion-v1-5"},
    "video": {
        "model": "stable-video-diffusion",
        "image": f"data:image/png;base64,{base64.b64encode(image_file()).decode()}",
    },
}
TYPES: dict[str, tuple[str, ...]] = {"music": ("audio/",), "image": ("image/",), "video": ("video/", "image/gif")}
ANSWERS = model_answers()


def test_there_are_two_hundred_answers_with_names_of_their_own() -> None:
    """Shapes, media, cuts and refusals."""
    assert len({answer.name for answer in ANSWERS}) == len(ANSWERS) >= 200


@pytest.mark.parametrize("number", range(0, len(ANSWERS), PART))
def test_an_answer_becomes_the_right_job(
    product: Product, model_server: ModelServer, record_property: Any, number: int
) -> None:
    """Each job is the right one; callers read nothing that is only for the operator."""
    wrong = []
    for answer in ANSWERS[number : number + PART]:
        model_server.clear()
        job = _job_after(answer, product, model_server)
        record_property(ANSWER, _row(answer, job))
        wrong += [f"{answer.name}: {mistake}" for mistake in _mistakes(answer, job, product, model_server)]
        _forget(job, product)
    assert wrong == []


def _job_after(answer: ModelAnswer, product: Product, server: ModelServer) -> dict[str, Any]:
    server.fault("word_for_word", status=answer.status, body=base64.b64encode(answer.body).decode(), times=None)
    job = product.submit({"prompt": answer.name, **REQUESTS[answer.kind], "fresh": True})
    product.deliver()
    return product.job(job["id"])


def _mistakes(answer: ModelAnswer, job: dict[str, Any], product: Product, server: ModelServer) -> Iterator[str]:
    texts, [attempt] = _texts(job), job["attempts"]
    facts = {
        "outcome": (_outcome(job), answer.outcome),
        "charge": (attempt["charged"], answer.charged),
        "cost": (job["cost"]["charged_usd"] > 0, answer.charged == "yes"),
        "calls": (len(server.requests), 1),
        "words": (answer.words in " ".join(texts), True),
        "operator's words": ([text for text in texts if OPERATORS.search(text)], []),
    }
    yield from (f"{fact} is {found!r}, not {right!r}" for fact, (found, right) in facts.items() if found != right)
    if job["status"] == "succeeded":
        yield from _mistakes_in_file(answer, job, product)
    elif job["outputs"]:
        yield "a job without a result has files"


def _mistakes_in_file(answer: ModelAnswer, job: dict[str, Any], product: Product) -> Iterator[str]:
    [output], stored = job["outputs"], product.file(job)
    if answer.file not in (None, stored):
        yield "the file is another one"
    if (output["bytes"], output["sha256"]) != (len(stored), hashlib.sha256(stored).hexdigest()):
        yield "size or digest of the file are wrong"
    if not output["content_type"].startswith(answer.content_type or TYPES[answer.kind]):
        yield f"the type is {output['content_type']}"
    if bool(answer.words) != ("warnings" in output):
        yield f"the warnings are {output.get('warnings')}"


def _outcome(job: dict[str, Any]) -> str:
    waits = {"queued": lambda: f"waits: {job['wait']['reason']}", "failed": lambda: str(job["error"]["code"])}
    return waits.get(job["status"], lambda: str(job["status"]))()


def _texts(job: dict[str, Any]) -> list[str]:
    """Everything in a job that is written for people."""
    warnings = [warning for output in job["outputs"] for warning in output.get("warnings", [])]
    return [*warnings, job.get("error", {}).get("message", ""), job.get("wait", {}).get("basis", "")]


def _row(answer: ModelAnswer, job: dict[str, Any]) -> str:
    """The answer, what became of it, and what its caller reads."""
    files = ", ".join(f"{output['content_type']} {output['bytes']:,} bytes" for output in job["outputs"])
    charged = job["attempts"][-1]["charged"]
    return f"{answer.name[:52]:52}  {_outcome(job):22} {charged:8} {files:36} {' '.join(filter(None, _texts(job)))}"


def _forget(job: dict[str, Any], product: Product) -> None:
    """The next answer meets no job that waits, and no closed route."""
    product.post(f"/jobs/{job['id']}/cancel")
    table = product.aws.dynamodb
    for item in table.scan(TableName=TABLE)["Items"]:
        if item["pk"]["S"].startswith("closed#"):
            table.delete_item(TableName=TABLE, Key={"pk": item["pk"]})
    wiring.dependencies.cache_clear()


def test_half_a_file_is_not_cached(product: Product, model_server: ModelServer) -> None:
    """An equal request makes another call, and gets the whole file."""
    half = image_file()[:2_000]
    model_server.fault("word_for_word", body=base64.b64encode(half).decode(), times=1)
    outcomes = []
    for _ in range(2):
        job = product.submit({"prompt": "a red boat", **REQUESTS["image"]})
        product.deliver()
        outcomes.append(_outcome(product.job(job["id"])))
    assert outcomes == ["bad_output", "succeeded"]
    assert model_server.generations == 2


def test_the_operator_finds_in_the_log_what_callers_do_not_read(
    product: Product, model_server: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The line has the job's id, the address that was asked, the server's answer and the next step."""
    model_server.fault("unauthorized", times=1)
    job = product.submit({"prompt": "calm", **REQUESTS["music"]})
    product.deliver()
    [line] = [record.getMessage() for record in caplog.records if "call failed" in record.getMessage()]
    for fact in (job["id"], f"{model_server.url[7:]}/hf-inference/models/", "401", "Invalid credentials", "make token"):
        assert fact in line
