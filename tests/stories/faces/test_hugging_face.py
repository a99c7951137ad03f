"""Hugging Face's clients: one POST, one generation, and the file as the answer, however long it takes."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import pytest
from longplay.http.faces.chain import MOST_HOPS
from longplay.http.holding import LONGEST
from longplay.storage.switch import KEY

from local.stand_ins.model import ModelServer
from tests.harness.aws import TABLE
from tests.harness.aws_faults import AwsFault, aws_answers
from tests.harness.images import encoded_image
from tests.harness.product import Product
from tests.stories.faces.client import ask

MUSIC = "/models/facebook/musicgen-small"
TRACK = {"inputs": "a calm cello", "parameters": {"duration": 1}}
At = Callable[[float, Callable[[], object]], None]


def _jobs(product: Product) -> list[dict[str, Any]]:
    return list(product.get("/jobs").json["jobs"])


@pytest.mark.parametrize("path", [MUSIC, "/models/musicgen-small"])
def test_the_answer_is_the_file(product: Product, at: At, path: str) -> None:
    """Its bytes and its type, within a second of its end."""
    at(3, product.deliver)
    began = time.time()
    answer = ask(product, path, TRACK)
    [job] = _jobs(product)
    assert (answer.status, answer.headers["Content-Type"], time.time() - began) == (200, "audio/wav", 3)
    assert (answer.bytes, answer.headers["X-Longplay-Job"]) == (product.file(job), job["id"])


def test_a_generation_of_minutes_is_one_call_of_the_client(product: Product, at: At, model_server: ModelServer) -> None:
    """It is led from one held answer to the next, and the provider is asked once."""
    at(200, product.deliver)
    began = time.time()
    answer = ask(product, MUSIC, TRACK)
    assert (answer.status, time.time() - began, model_server.generations) == (200, 200, 1)


def test_after_the_last_redirect_the_same_request_finds_the_job(
    product: Product, at: At, model_server: ModelServer
) -> None:
    """503 as of a model that loads, which clients repeat; they follow no more redirects than they do."""
    end = LONGEST * (MOST_HOPS + 1)
    at(end + 5, product.deliver)
    at(end + 6, product.deliver)  # the message that tells the second job of the first one's end
    late = ask(product, MUSIC, TRACK)
    [job] = _jobs(product)
    assert (late.status, late.json["job"], late.json["estimated_time"]) == (503, job["id"], 20)
    assert "makes no second one. Nothing was charged." in late.json["error"]
    assert (ask(product, MUSIC, TRACK).status, len(_jobs(product)), model_server.generations) == (200, 2, 1)


@pytest.mark.parametrize("fresh", [{"x-use-cache": "false"}, {"x-use-cache": "0"}, {}])
def test_a_request_that_would_not_find_its_job_again_is_not_repeated(
    product: Product, product_with: Callable[..., Product], clock: object, fresh: dict[str, str]
) -> None:
    """504 where a repeat would be charged a second time: a fresh request, or a deployment without a cache."""
    product = product if fresh else product_with(cache="off")
    late = ask(product, MUSIC, TRACK, headers=fresh)
    assert (late.status, len(_jobs(product))) == (504, 1)
    assert "a second one" in late.json["error"]


def test_fresh_requests_are_generated_each(product: Product, at: At, model_server: ModelServer) -> None:
    """By the header, and by the option of older clients."""
    for second in range(1, 9):
        at(second, product.deliver)
    for body, headers in ((TRACK, {"x-use-cache": "false"}), ({**TRACK, "options": {"use_cache": False}}, {})):
        assert ask(product, MUSIC, body, headers=headers).status == 200
    assert (ask(product, MUSIC, TRACK).status, model_server.generations) == (200, 2)


def test_parameters_of_other_models_are_left_out_and_named(product: Product, at: At) -> None:
    """Clients send those of all models. A value that is out of bounds is refused all the same."""
    at(1, product.deliver)
    body = {**TRACK, "parameters": {"duration": 1, "do_sample": True, "ünï": 1}, "target": "x"}
    answer = ask(product, MUSIC, body)
    assert (answer.status, answer.headers["X-Longplay-Ignored"]) == (200, r"target, do_sample, \xfcn\xef")
    refused = ask(product, MUSIC, {**TRACK, "parameters": {"duration": 99}})
    assert (refused.status, refused.json["code"]) == (400, "invalid_request")
    assert "duration" in refused.json["error"]


@pytest.mark.parametrize(
    ("fault", "status", "cost"),
    [("invalid", 400, "Nothing was charged."), ("server_error", 500, "It may have cost $0.01.")],
)
def test_a_failure_says_why_and_what_it_cost(
    product: Product, at: At, model_server: ModelServer, fault: str, status: int, cost: str
) -> None:
    """400 for a request that will not work, and 500 for a failure that may pass."""
    model_server.fault(fault, times=None)
    for second in range(1, 120):
        at(second, product.deliver)
    failed = ask(product, MUSIC, TRACK)
    assert (failed.status, failed.json["error"][-len(cost) :]) == (status, cost)


def test_a_foreign_job_is_an_unknown_one(product: Product) -> None:
    """Same status, body and header for a job of another owner and for none at all."""
    job = product.submit({"prompt": "a calm cello"})
    foreign = product.face("GET", f"/waits/{job['id']}?hop=1", owner="bob")
    unknown = product.face("GET", "/waits/aaaaaaaaaaaaaaaaaaaaaaaaaa?hop=1", owner="bob")
    assert (foreign.status, foreign) == (404, unknown)


@pytest.mark.parametrize("hop", ["", "0", "19", "1e1", "-1", "٣", "9" * 5_000, "001" + "0" * 5_000, "01"])
def test_a_redirect_of_our_own_making_is_refused_if_it_is_forged(product: Product, hop: str) -> None:
    """A hop is a number from 1 to 18."""
    job = product.submit({"prompt": "a calm cello"})
    refused = product.face("GET", f"/waits/{job['id']}?hop={hop}")
    assert (refused.status, "`hop`" in refused.json["error"]) == (400, True)


def test_an_error_of_aws_does_not_end_the_wait(product: Product, at: At) -> None:
    """The next answer of the chain looks again."""
    at(30, product.deliver)
    with aws_answers(product.aws.dynamodb, "GetItem", AwsFault("InternalServerError", 500, times=4)):
        assert ask(product, MUSIC, TRACK).status == 200


def test_while_new_jobs_are_paused_clients_do_not_storm(product: Product) -> None:
    """500 and not 503, which the JavaScript client repeats at once and without end."""
    until = {"pk": {"S": KEY}, "paused_until": {"N": str(time.time() + 600)}}
    product.aws.dynamodb.put_item(TableName=TABLE, Item=until)
    refused = ask(product, MUSIC, TRACK)
    assert (refused.status, refused.json["code"]) == (500, "paused")


VIDEO = "/models/stabilityai/stable-video-diffusion-img2vid-xt"
PNG = encoded_image("PNG")


@pytest.mark.parametrize(
    "body",
    [
        PNG,
        {"inputs": base64.b64encode(PNG).decode(), "parameters": {"prompt": "", "target_size": {"width": 9}}},
        {"inputs": f"data:image/png;base64,{base64.b64encode(PNG).decode()}"},
    ],
    ids=["bytes", "base64", "data URI"],
)
def test_an_image_to_start_from_comes_in_any_of_their_forms(product: Product, at: At, body: object) -> None:
    """As the body itself, or in base64 as `inputs`."""
    at(1, product.deliver)
    answer = ask(product, VIDEO, body)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "video/mp4")
    assert _jobs(product)[0]["image"]


@pytest.mark.parametrize("body", [{"inputs": 7}, {"inputs": "!"}, b"\x89PNG", b"{", {}])
def test_an_image_that_is_none_is_refused(product: Product, body: object) -> None:
    """400, and nothing is created."""
    assert (ask(product, VIDEO, body).status, _jobs(product)) == (400, [])


@pytest.mark.parametrize(
    ("client", "operation"),
    [
        ("dynamodb", "PutItem"),
        ("dynamodb", "TransactWriteItems"),
        ("dynamodb", "UpdateItem"),
        ("dynamodb", "GetItem"),
        ("sqs", "SendMessage"),
        ("s3", "GetObject"),
    ],
)
def test_where_aws_fails_the_same_request_comes_to_one_generation(
    product: Product, at: At, model_server: ModelServer, client: str, operation: str
) -> None:
    """The first request is refused or waits on, and the second one finds what became of it."""
    for second in (3, 70, 75, 80):
        at(second, product.sweep)
        at(second, product.deliver)
    with aws_answers(getattr(product.aws, client), operation, AwsFault("InternalServerError", 500)):
        first = ask(product, MUSIC, TRACK, redirects=0)
    assert first.status in (200, 303, 429, 500), first.body
    assert (ask(product, MUSIC, TRACK).status, model_server.generations) == (200, 1)


PROMPTS = {
    "Thai": ("เพลงช้า", 200),
    "Arabic": ("موسيقى هادئة", 200),
    "emoji of several parts": ("🎹👩‍👩‍👧", 200),
    "two lines": ("日本の雨\n第二行", 200),
    "half a character": ("\ud83c", 400),
    "an override of direction": ("\u202eevil", 400),
    "a zero byte": ("x\x00y", 400),
    "no text": (float("nan"), 400),
}


@pytest.mark.parametrize("case", PROMPTS)
def test_text_is_taken_and_refused_as_in_our_contract(product: Product, at: At, case: str) -> None:
    """In every script; what has no form in UTF-8 or JSON is refused, and is no error of ours."""
    prompt, status = PROMPTS[case]
    at(1, product.deliver)
    assert ask(product, MUSIC, {"inputs": prompt, "parameters": {"duration": 1, "ключ": 1}}).status == status
    assert ask(product, "/v1/images/generations", {"prompt": prompt}, redirects=0).status in (status, 303)


def test_a_number_that_json_has_not_is_refused(product: Product) -> None:
    """It is not taken for one that is left out."""
    refused = product.face("POST", MUSIC, b'{"inputs": "rain", "parameters": {"duration": NaN}}')
    assert (refused.status, "duration" in refused.json["error"]) == (400, True)
