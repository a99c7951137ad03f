"""POST /generate: requests that are accepted, their answers, and requests that are refused and create nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.harness.aws import BUCKET, TABLE
from tests.harness.images import data_uri, encoded_image
from tests.harness.product import Product

PROMPT = "upbeat techno with heavy bass"
SVD = {"model": "stable-video-diffusion", "image": data_uri(encoded_image())}


def test_a_prompt_is_answered_with_a_job_and_its_address(product: Product) -> None:
    """The answer is 202 with Location, Retry-After, and a queued job that has a reason to wait and an ETA."""
    answer = product.post("/generate", {"prompt": PROMPT, "genre": "electronic"})
    job = answer.json
    assert answer.status == 202
    assert answer.headers["Location"] == f"jobs/{job['id']}"
    assert 1 <= int(answer.headers["Retry-After"]) <= 30
    assert (job["status"], job["kind"], job["model"]) == ("queued", "music", "musicgen-small")
    assert job["parameters"] == {"genre": "electronic", "duration": 10, "guidance_scale": 3.0}
    assert job["wait"]["reason"] == "concurrency"
    assert job["wait"]["eta_seconds"] == pytest.approx(20, abs=1)
    assert job["cost"] == {"estimated_usd": 0.005, "possible_usd": 0.01, "charged_usd": 0, "unknown_usd": 0}


def test_a_form_content_type_is_read_as_json(product: Product) -> None:
    """`curl -d` without a header sends the content type of a form; its body is still read as JSON."""
    job = product.submit(
        json.dumps({"prompt": PROMPT, "duration": 30}), Content_Type="application/x-www-form-urlencoded"
    )
    assert job["parameters"]["duration"] == 30


def test_a_body_in_base64_is_read(product: Product) -> None:
    """API Gateway sends binary media types in base64, and such a body is decoded."""
    assert product.submit(json.dumps({"prompt": "été à la plage"}).encode())["prompt"] == "été à la plage"


def test_a_former_model_id_is_accepted_with_its_parameters(product: Product) -> None:
    """The id that tutorials still use is an alias of the model's present one."""
    job = product.submit(
        {
            "prompt": "a beautiful sunset over mountains",
            "model": "runwayml/stable-diffusion-v1-5",
            "num_inference_steps": 30,
            "guidance_scale": 7.5,
            "width": 512,
            "height": 512,
        }
    )
    assert (job["kind"], job["model"]) == ("image", "stable-diffusion-v1-5")


def test_an_input_image_is_stored_only_in_the_bucket(product: Product) -> None:
    """Neither the item nor the message contains the image."""
    job = product.submit(SVD)
    keys = [entry["Key"] for entry in product.aws.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert [key.startswith(f"inputs/{job['id']}-") for key in keys] == [True]
    item = product.aws.dynamodb.scan(TableName=TABLE)["Items"][0]
    assert SVD["image"].partition(",")[2] not in str(item)
    message = json.loads(product.messages()[0]["Body"])
    assert message == {"version": 1, "job": job["id"], "route": "endpoint", "not_before": message["not_before"]}


BAD_BODIES: dict[str, tuple[Any, str, str]] = {
    "not json": ("{prompt: x", "body", "not JSON"),
    "an array": ([1], "body", "JSON object"),
    "nothing": (None, "body", "not JSON"),
    "deeply nested": ('{"prompt": ' + "[" * 100_000 + "]" * 100_000 + "}", "body", "not JSON"),
    "NaN": ('{"prompt": "x", "duration": NaN}', "duration", "from 1 to 30"),
    "latin-1 bytes": ('{"prompt": "é"}'.encode("latin-1"), "body", "UTF-8"),
    "a lone surrogate": ('{"prompt": "a \\ud800"}', "prompt", "U+D800, half of a character, as character 3"),
    "half of a character, not escaped": ('{"prompt": "\ud800"}', "body", "UTF-8"),
    "no prompt": ({}, "prompt", "missing"),
    "an empty prompt": ({"prompt": ""}, "prompt", "empty"),
    "a blank prompt": ({"prompt": "  "}, "prompt", "empty"),
    "a prompt of 20 kB": ({"prompt": "x" * 20_000}, "prompt", "2,000"),
    "a prompt that is a number": ({"prompt": 7}, "prompt", "text"),
    "a control character": ({"prompt": "a\x07b"}, "prompt", "U+0007, a control character, as character 2"),
    "a null character": ({"prompt": "a\x00b"}, "prompt", "U+0000"),
    "an unknown model": ({"prompt": "x", "model": "gpt-9"}, "model", "musicgen-small"),
    "a model that is a list": ({"prompt": "x", "model": ["musicgen-small"]}, "model", "musicgen-small"),
    "an unknown kind": ({"prompt": "x", "kind": "smell"}, "kind", "music, image, video"),
    "a kind of another type": ({"prompt": "x", "kind": ["music"]}, "kind", "music, image, video"),
    "a kind the model is not": ({"prompt": "x", "kind": "image", "model": "musicgen-small"}, "kind", "music"),
    "duration 0": ({"prompt": "x", "duration": 0}, "duration", "from 1 to 30"),
    "duration -1": ({"prompt": "x", "duration": -1}, "duration", "from 1 to 30"),
    "duration 1e9": ({"prompt": "x", "duration": 1e9}, "duration", "from 1 to 30"),
    "duration 1e999": ('{"prompt": "x", "duration": 1e999}', "duration", "from 1 to 30"),
    "duration as text": ({"prompt": "x", "duration": "30"}, "duration", "from 1 to 30"),
    "duration true": ({"prompt": "x", "duration": True}, "duration", "from 1 to 30"),
    "width 513": ({"prompt": "x", "kind": "image", "width": 513}, "width", "multiple of 8"),
    "guidance of 400 digits": ({"prompt": "x", "guidance_scale": 10**400}, "guidance_scale", "a number from 1 to 20"),
    "width 512.5": ({"prompt": "x", "kind": "image", "width": 512.5}, "width", "whole number"),
    "a field of another kind": ({"prompt": "x", "width": 512}, "width", "musicgen-small"),
    "an unknown field": ({"prompt": "x", "tempo": 120}, "tempo", "it takes: prompt"),
    "a null field": ({"prompt": "x", "tempo": None}, "tempo", "it takes: prompt"),
    "an image for music": ({"prompt": "x", "image": "data:,"}, "image", "from text"),
    "no image for SVD": ({"model": "svd"}, "image", "data URI"),
    "an image URL": ({**SVD, "image": "http://169.254.169.254/x.png"}, "image", "data URI"),
    "an image that is text": ({**SVD, "image": "data:image/png;base64,aGVsbG8="}, "image", "PNG"),
    "an image that is not base64": ({**SVD, "image": "data:image/png;base64,%%%"}, "image", "base64"),
    "an image over 3 MB": ({**SVD, "image": "data:image/png;base64," + "A" * 3_200_000}, "image", "3,145,728"),
    "max_charges 0": ({"prompt": "x", "max_charges": 0}, "max_charges", "from 1 to 5"),
    "a deadline of a week": ({"prompt": "x", "deadline_seconds": 604_800}, "deadline_seconds", "to 86400"),
    "tags of another type": ({"prompt": "x", "tags": ["a"]}, "tags", "object"),
}


@pytest.mark.parametrize(("body", "field", "bound"), BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_bad_input_names_the_field_and_the_bound_and_creates_nothing(
    product: Product, body: Any, field: str, bound: str
) -> None:
    """The answer is a problem with status 400, and no item, message or object is created."""
    answer = product.post("/generate", body)
    assert answer.status == 400, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (answer.json["field"], answer.json["code"], answer.json["charged"]) == (field, "invalid_request", "no")
    assert bound in answer.json["detail"]
    assert product.aws.dynamodb.scan(TableName=TABLE)["Count"] == 0
    assert product.messages() == []
    assert product.aws.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def test_a_body_of_5_mb_is_too_large(product: Product) -> None:
    """A body over the size limit gets 413."""
    answer = product.post("/generate", b'{"prompt": "' + b"x" * 5_000_000 + b'"}')
    assert (answer.status, answer.json["code"]) == (413, "too_large")


def test_the_same_idempotency_key_finds_the_same_job(product: Product) -> None:
    """A repeated request gets the same job and sends no second message."""
    first = product.submit({"prompt": PROMPT}, Idempotency_Key="order-7")
    again = product.submit({"prompt": PROMPT}, Idempotency_Key="order-7")
    assert first["id"] == again["id"]
    assert len(product.messages()) == 1


def test_an_idempotency_key_with_another_body_is_refused(product: Product) -> None:
    """A known key with another body gets 422."""
    product.submit({"prompt": PROMPT}, Idempotency_Key="order-7")
    answer = product.post("/generate", {"prompt": "something else"}, Idempotency_Key="order-7")
    assert (answer.status, answer.json["code"]) == (422, "idempotency_key_reused")


def test_a_key_refused_for_its_body_is_not_used_up(product: Product) -> None:
    """A key whose first request was refused is accepted with a valid request."""
    assert product.post("/generate", {"prompt": ""}, Idempotency_Key="order-7").status == 400
    assert product.submit({"prompt": PROMPT}, Idempotency_Key="order-7")["status"] == "queued"


def test_an_idempotency_key_of_another_form_is_refused(product: Product) -> None:
    """A key must have 1 to 255 visible ASCII characters; a longer one gets 400."""
    answer = product.post("/generate", {"prompt": PROMPT}, Idempotency_Key="x" * 256)
    assert (answer.status, answer.json["field"]) == (400, "Idempotency-Key")


def test_an_unknown_job_and_another_owners_are_answered_alike(product: Product) -> None:
    """Both get the same 404, so a caller does not learn which ids exist."""
    job = product.submit({"prompt": PROMPT})
    unknown = product.get("/jobs/nosuchjob")
    foreign = product.get(f"/jobs/{job['id']}", key="lp_bob_0123456789abcdef")
    assert (unknown.status, foreign.status) == (404, 404)
    assert unknown.json == foreign.json


def test_a_rotated_key_keeps_its_jobs(product: Product) -> None:
    """The API key names its owner, so a new secret for that owner finds the same jobs."""
    job = product.submit({"prompt": PROMPT})
    assert product.get(f"/jobs/{job['id']}", key="lp_alice_another").status == 200
