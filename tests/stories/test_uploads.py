"""A caller uploads an image once and starts generations from it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
import requests
import time_machine
from longplay.http.uploads import LARGEST_UPLOAD

from tests.harness.aws import BUCKET, TABLE
from tests.harness.aws_calls import AwsCall, recorded_calls
from tests.harness.images import encoded_image
from tests.harness.product import Answer, Product

IMAGE = encoded_image()
VIDEO = {"model": "stable-video-diffusion"}
BOB = "lp_bob_0123456789abcdef"


def _open(product: Product, body: Any = None, **options: str) -> dict[str, Any]:
    answer = product.post("/uploads", body, **options)
    assert answer.status == 201, answer.body
    return dict(answer.json)


def _send(upload: dict[str, Any], image: bytes = IMAGE) -> None:
    answer = requests.post(upload["url"], data=upload["fields"], files={"file": image}, timeout=30)
    assert answer.status_code == 204, answer.text


def _uploaded(product: Product, image: bytes = IMAGE) -> str:
    upload = _open(product)
    _send(upload, image)
    return str(upload["image"])


def _keys(product: Product, prefix: str) -> list[str]:
    found = product.aws.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return [entry["Key"] for entry in found]


def _policy(upload: dict[str, Any]) -> list[Any]:
    return list(json.loads(base64.b64decode(upload["fields"]["policy"]))["conditions"])


def _refused(answer: Answer) -> str:
    """The detail of a 400 about the field `image`, which is not charged."""
    assert (answer.status, answer.json["code"], answer.json["field"]) == (400, "invalid_request", "image"), answer.body
    assert answer.json["charged"] == "no"
    return str(answer.json["detail"])


def test_an_upload_is_a_form_for_one_image(product: Product) -> None:
    """The answer is 201 with the form's address, the size limit, the expiry and the next step."""
    upload = _open(product)
    assert (upload["method"], upload["image"], upload["largest"]) == ("POST", f"upload:{upload['id']}", LARGEST_UPLOAD)
    assert upload["url_expires_at"] < upload["expires_at"]
    assert "POST /generate" in upload["next"]
    assert _keys(product, "uploads/") == []


def test_the_signed_policy_limits_key_and_size(product: Product) -> None:
    """S3 accepts only this key and size, and the form's address is in the bucket's region."""
    upload = _open(product)
    assert ["content-length-range", 1, LARGEST_UPLOAD] in _policy(upload)
    assert {"key": f"uploads/alice/{upload['id']}"} in _policy(upload)
    assert upload["url"] == f"https://{BUCKET}.s3.eu-central-1.amazonaws.com/"


def test_a_content_type_that_was_announced_is_signed(product: Product) -> None:
    """A content type in the request is a field of the form and a condition of its policy."""
    upload = _open(product, {"content_type": "image/jpeg"})
    assert upload["fields"]["Content-Type"] == "image/jpeg"
    assert {"Content-Type": "image/jpeg"} in _policy(upload)


@pytest.mark.parametrize(
    ("body", "field", "bound"),
    [
        ({"content_type": "image/gif"}, "content_type", "image/webp"),
        ({"content_type": ["image/png"]}, "content_type", "image/webp"),
        ({"size": 7}, "size", "content_type"),
        ({"": 1}, '""', "content_type"),
        ({"content_type": None, "\x00": None}, "U+0000", "content_type"),
        ([1], "body", "JSON object"),
        ("{", "body", "not JSON"),
    ],
)
def test_a_bad_upload_names_the_field_and_the_bound(product: Product, body: Any, field: str, bound: str) -> None:
    """A bad request for an upload gets 400 with the field and the values it may have."""
    answer = product.post("/uploads", body)
    assert (answer.status, answer.json["field"]) == (400, field)
    assert bound in answer.json["detail"]


def test_a_video_starts_from_an_uploaded_image(product: Product) -> None:
    """The image is copied below the job's key, with the content type that its bytes show."""
    job = product.submit({**VIDEO, "image": _uploaded(product)})
    [key] = _keys(product, f"inputs/{job['id']}-")
    kept = product.aws.s3.get_object(Bucket=BUCKET, Key=key)
    assert (kept["Body"].read(), kept["ContentType"]) == (IMAGE, "image/png")


def test_an_upload_and_a_data_uri_are_equal_requests(product: Product, clock: time_machine.Traveller) -> None:
    """The fingerprint is of the image's bytes, so a job with an upload follows one with a data URI."""
    encoded = base64.b64encode(IMAGE).decode()
    product.submit({**VIDEO, "image": f"data:image/png;base64,{encoded}"})
    follower = product.submit({**VIDEO, "image": _uploaded(product)})
    assert follower["wait"]["reason"] == "coalesced"


def test_an_upload_serves_several_jobs(product: Product) -> None:
    """Each job has its own copy of the image, so deleting one job does not affect the others."""
    image = _uploaded(product)
    jobs = [product.submit({**VIDEO, "image": image, "fresh": True}) for _ in range(2)]
    product.post(f"/jobs/{jobs[0]['id']}/cancel")
    assert product.delete(f"/jobs/{jobs[0]['id']}").status == 204
    assert len(_keys(product, f"inputs/{jobs[1]['id']}-")) == 1
    assert product.submit({**VIDEO, "image": image, "fresh": True})["status"] == "queued"


def test_a_job_keeps_the_image_it_was_submitted_with(product: Product) -> None:
    """A second file sent to the same form does not change the image of an earlier job."""
    upload = _open(product)
    _send(upload)
    job = product.submit({**VIDEO, "image": upload["image"]})
    _send(upload, IMAGE + b"another")
    [key] = _keys(product, f"inputs/{job['id']}-")
    assert product.aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == IMAGE


def test_an_upload_without_its_file_says_what_is_missing(product: Product) -> None:
    """A job whose image has not been sent yet is refused, and no item is created."""
    detail = _refused(product.post("/generate", {**VIDEO, "image": _open(product)["image"]}))
    assert "no file for your key" in detail
    assert product.aws.dynamodb.scan(TableName=TABLE)["Count"] == 0


def test_another_owners_upload_answers_as_an_unknown_one(product: Product) -> None:
    """The answers are equal, so a caller does not learn which ids exist."""
    foreign = product.post("/generate", {**VIDEO, "image": _uploaded(product)}, key=BOB)
    unknown = product.post("/generate", {**VIDEO, "image": _open(product)["image"]}, key=BOB)
    assert _refused(foreign) == _refused(unknown)


def test_an_upload_expires_after_a_day(product: Product, clock: time_machine.Traveller) -> None:
    """After 24 hours an upload is refused, even if S3 has not removed its file yet."""
    image = _uploaded(product)
    clock.shift(24 * 3600 - 1)
    product.submit({**VIDEO, "image": image})
    clock.shift(2)
    assert "expired" in _refused(product.post("/generate", {**VIDEO, "image": image}))


def test_an_upload_is_typed_by_its_bytes(product: Product) -> None:
    """A GIF is refused by its bytes."""
    image = _uploaded(product, b"GIF89a" + bytes(64))
    assert "its bytes are none of these" in _refused(product.post("/generate", {**VIDEO, "image": image}))


def test_a_file_over_the_size_limit_is_refused(product: Product) -> None:
    """If a file over the limit is in the bucket in spite of the policy, its job is refused with the limit."""
    image = _uploaded(product, IMAGE + bytes(LARGEST_UPLOAD))
    assert "20,000,000" in _refused(product.post("/generate", {**VIDEO, "image": image}))


@pytest.mark.parametrize(
    "image", ["upload:", "upload:7", "upload:../jobs/1/0", "upload:" + "A" * 32, "uploads:" + "0" * 32, "0" * 32]
)
def test_an_invalid_name_of_an_upload_is_refused(product: Product, image: str) -> None:
    """The answer names `POST /uploads`, and no key of the bucket is made of the name."""
    assert "POST /uploads" in _refused(product.post("/generate", {**VIDEO, "image": image}))


def test_a_model_that_takes_no_image_takes_no_upload(product: Product) -> None:
    """An upload for a model that works from text gets 400, as a data URI does."""
    assert "from text" in _refused(product.post("/generate", {"prompt": "x", "image": _open(product)["image"]}))


def _calls(product_with: Callable[..., Product], *bodies: dict[str, Any]) -> list[list[AwsCall]]:
    """The AWS calls of each of these requests, all with one Idempotency-Key and a warm container."""
    with recorded_calls() as calls:
        product, recorded = product_with(cache="off"), []
        image = _uploaded(product)
        product.submit({**VIDEO, "image": image})  # warms the container up
        for body in bodies:
            calls.clear()
            product.post("/generate", {**VIDEO, "image": image, **body}, Idempotency_Key="video-7")
            recorded.append([*calls])
    return recorded


def test_a_replay_moves_no_file(product_with: Callable[..., Product]) -> None:
    """The first request reads, copies the image, creates the job and sends its message; a replay only reads."""
    first, again = _calls(product_with, {}, {})
    assert [call.name for call in first] == ["GetItem", "GetObject", "PutObject", "PutItem", "SendMessage"]
    assert [call.name for call in again] == ["GetItem"]


def test_a_key_with_another_body_moves_no_file_either(product_with: Callable[..., Product]) -> None:
    """A key with another body is refused after one read, before the image is read."""
    _, other = _calls(product_with, {}, {"fresh": True})
    assert [call.name for call in other] == ["GetItem"]


def test_a_replay_is_answered_after_its_upload_has_expired(product: Product, clock: time_machine.Traveller) -> None:
    """A replay finds the job, which has its copy of the image."""
    request = {**VIDEO, "image": _uploaded(product)}
    job = product.submit(request, Idempotency_Key="video-7")
    clock.shift(25 * 3600)
    assert product.post("/generate", request, Idempotency_Key="video-7").json["id"] == job["id"]


def test_a_refused_upload_does_not_use_up_the_key(product: Product) -> None:
    """After the missing file is sent, the same request with the same key is accepted."""
    upload = _open(product)
    request = {**VIDEO, "image": upload["image"]}
    _refused(product.post("/generate", request, Idempotency_Key="video-7"))
    _send(upload)
    assert product.submit(request, Idempotency_Key="video-7")["status"] == "queued"
