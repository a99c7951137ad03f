"""A caller uploads an image, and starts generations from it: each once, none from another's, and none for nothing."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import time_machine
from longplay.http.uploads import LARGEST_UPLOAD

from tests.harness.aws import BUCKET, TABLE
from tests.harness.aws_calls import AwsCall, recorded_calls
from tests.harness.product import Answer, Product

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(64)
VIDEO = {"model": "stable-video-diffusion"}
BOB = "lp_bob_0123456789abcdef"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Time that moves only when a test says so."""
    with time_machine.travel(time.time(), tick=False) as coordinates:
        yield coordinates


def _open(product: Product, body: Any = None, **options: str) -> dict[str, Any]:
    answer = product.post("/uploads", body, **options)
    assert answer.status == 201, answer.body
    return dict(answer.json)


def _send(upload: dict[str, Any], image: bytes = PICTURE) -> None:
    answer = requests.post(upload["url"], data=upload["fields"], files={"file": image}, timeout=30)
    assert answer.status_code == 204, answer.text


def _uploaded(product: Product, image: bytes = PICTURE) -> str:
    upload = _open(product)
    _send(upload, image)
    return str(upload["image"])


def _keys(product: Product, prefix: str) -> list[str]:
    found = product.aws.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return [entry["Key"] for entry in found]


def _policy(upload: dict[str, Any]) -> list[Any]:
    return list(json.loads(base64.b64decode(upload["fields"]["policy"]))["conditions"])


def _refused(answer: Answer) -> str:
    """The detail of a 400 that names the image and has created nothing."""
    assert (answer.status, answer.json["code"], answer.json["field"]) == (400, "invalid_request", "image"), answer.body
    assert answer.json["charged"] == "no"
    return str(answer.json["detail"])


def test_an_upload_is_a_form_for_one_image_and_a_name_for_it(product: Product) -> None:
    """201 with where to send it, how large it may be, until when, and what to do then."""
    upload = _open(product)
    assert (upload["method"], upload["image"], upload["largest"]) == ("POST", f"upload:{upload['id']}", LARGEST_UPLOAD)
    assert upload["url_expires_at"] < upload["expires_at"]
    assert "POST /generate" in upload["next"]
    assert _keys(product, "uploads/") == []


def test_s3_itself_holds_an_upload_to_its_key_and_size(product: Product) -> None:
    """The signed policy says so; the form leads to the bucket's own region."""
    upload = _open(product)
    assert ["content-length-range", 1, LARGEST_UPLOAD] in _policy(upload)
    assert {"key": f"uploads/alice/{upload['id']}"} in _policy(upload)
    assert upload["url"] == f"https://{BUCKET}.s3.eu-central-1.amazonaws.com/"


def test_a_content_type_that_was_announced_is_signed(product: Product) -> None:
    """And goes with the form."""
    upload = _open(product, {"content_type": "image/jpeg"})
    assert upload["fields"]["Content-Type"] == "image/jpeg"
    assert {"Content-Type": "image/jpeg"} in _policy(upload)


@pytest.mark.parametrize(
    ("body", "field", "bound"),
    [
        ({"content_type": "image/gif"}, "content_type", "image/webp"),
        ({"content_type": ["image/png"]}, "content_type", "image/webp"),
        ({"size": 7}, "size", "content_type"),
        ([1], "body", "JSON object"),
        ("{", "body", "not JSON"),
    ],
)
def test_a_bad_upload_names_the_field_and_the_bound(product: Product, body: Any, field: str, bound: str) -> None:
    """400, as everywhere."""
    answer = product.post("/uploads", body)
    assert (answer.status, answer.json["field"]) == (400, field)
    assert bound in answer.json["detail"]


def test_a_video_starts_from_an_uploaded_image(product: Product) -> None:
    """The image lies under the job's own key, typed by its bytes."""
    job = product.submit({**VIDEO, "image": _uploaded(product)})
    [key] = _keys(product, f"inputs/{job['id']}/")
    kept = product.aws.s3.get_object(Bucket=BUCKET, Key=key)
    assert (kept["Body"].read(), kept["ContentType"]) == (PICTURE, "image/png")


def test_an_upload_is_the_same_request_as_a_data_uri(product: Product, clock: time_machine.Traveller) -> None:
    """Told by its bytes: the second one follows the first, whichever way they came."""
    encoded = base64.b64encode(PICTURE).decode()
    product.submit({**VIDEO, "image": f"data:image/png;base64,{encoded}"})
    follower = product.submit({**VIDEO, "image": _uploaded(product)})
    assert follower["wait"]["reason"] == "coalesced"


def test_an_upload_serves_several_jobs(product: Product) -> None:
    """Each keeps a copy of its own, so that deleting one takes nothing from the others."""
    image = _uploaded(product)
    jobs = [product.submit({**VIDEO, "image": image, "fresh": True}) for _ in range(2)]
    product.post(f"/jobs/{jobs[0]['id']}/cancel")
    assert product.delete(f"/jobs/{jobs[0]['id']}").status == 204
    assert len(_keys(product, f"inputs/{jobs[1]['id']}/")) == 1
    assert product.submit({**VIDEO, "image": image, "fresh": True})["status"] == "queued"


def test_a_job_keeps_the_image_it_was_submitted_with(product: Product) -> None:
    """Whatever is sent to the same form afterward."""
    upload = _open(product)
    _send(upload)
    job = product.submit({**VIDEO, "image": upload["image"]})
    _send(upload, PICTURE + b"another")
    [key] = _keys(product, f"inputs/{job['id']}/")
    assert product.aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == PICTURE


def test_an_upload_without_its_file_says_what_is_missing(product: Product) -> None:
    """Asked for, and not yet sent."""
    detail = _refused(product.post("/generate", {**VIDEO, "image": _open(product)["image"]}))
    assert "no file for your key" in detail
    assert product.aws.dynamodb.scan(TableName=TABLE)["Count"] == 0


def test_another_owners_upload_answers_as_an_unknown_one(product: Product) -> None:
    """So that nobody learns which ids exist, nor uses them."""
    foreign = product.post("/generate", {**VIDEO, "image": _uploaded(product)}, key=BOB)
    unknown = product.post("/generate", {**VIDEO, "image": _open(product)["image"]}, key=BOB)
    assert _refused(foreign) == _refused(unknown)


def test_an_upload_is_over_after_a_day(product: Product, clock: time_machine.Traveller) -> None:
    """Though S3 takes its time to remove the file."""
    image = _uploaded(product)
    clock.shift(24 * 3600 - 1)
    product.submit({**VIDEO, "image": image})
    clock.shift(2)
    assert "expired" in _refused(product.post("/generate", {**VIDEO, "image": image}))


def test_an_upload_is_typed_by_its_bytes(product: Product) -> None:
    """Whatever it was called."""
    image = _uploaded(product, b"GIF89a" + bytes(64))
    assert "its bytes are none of these" in _refused(product.post("/generate", {**VIDEO, "image": image}))


def test_a_file_that_is_too_large_after_all_is_not_read_to_its_end(product: Product) -> None:
    """S3's policy is not the only guard."""
    image = _uploaded(product, PICTURE + bytes(LARGEST_UPLOAD))
    assert "20,000,000" in _refused(product.post("/generate", {**VIDEO, "image": image}))


@pytest.mark.parametrize(
    "image", ["upload:", "upload:7", "upload:../jobs/1/0", "upload:" + "A" * 32, "uploads:" + "0" * 32, "0" * 32]
)
def test_what_is_no_uploads_name_is_told_what_is(product: Product, image: str) -> None:
    """No key of the bucket can be made of it."""
    assert "POST /uploads" in _refused(product.post("/generate", {**VIDEO, "image": image}))


def test_a_model_that_takes_no_image_takes_no_upload(product: Product) -> None:
    """400, as for a data URI."""
    assert "from text" in _refused(product.post("/generate", {"prompt": "x", "image": _open(product)["image"]}))


def _calls(product_with: Callable[..., Product], *bodies: dict[str, Any]) -> list[list[AwsCall]]:
    """The calls that each of these requests makes, all under one Idempotency-Key."""
    with recorded_calls() as calls:
        product, made = product_with(cache="off"), []
        image = _uploaded(product)
        product.submit({**VIDEO, "image": image})  # a container is warm
        for body in bodies:
            calls.clear()
            product.post("/generate", {**VIDEO, "image": image, **body}, Idempotency_Key="video-7")
            made.append([*calls])
    return made


def test_a_replay_moves_no_file(product_with: Callable[..., Product]) -> None:
    """One read finds the job there is; a first time looks, fetches, keeps, creates and sends."""
    first, again = _calls(product_with, {}, {})
    assert [call.name for call in first] == ["GetItem", "GetObject", "PutObject", "PutItem", "SendMessage"]
    assert [call.name for call in again] == ["GetItem"]


def test_a_key_with_another_body_moves_no_file_either(product_with: Callable[..., Product]) -> None:
    """422, told by the body and not by the image."""
    _, other = _calls(product_with, {}, {"fresh": True})
    assert [call.name for call in other] == ["GetItem"]


def test_a_replay_is_answered_after_its_upload_has_expired(product: Product, clock: time_machine.Traveller) -> None:
    """The key's job has its image."""
    request = {**VIDEO, "image": _uploaded(product)}
    job = product.submit(request, Idempotency_Key="video-7")
    clock.shift(25 * 3600)
    assert product.post("/generate", request, Idempotency_Key="video-7").json["id"] == job["id"]


def test_an_uploads_key_is_not_used_up_by_a_refusal(product: Product) -> None:
    """Send the file, then the same request with the same key."""
    upload = _open(product)
    request = {**VIDEO, "image": upload["image"]}
    _refused(product.post("/generate", request, Idempotency_Key="video-7"))
    _send(upload)
    assert product.submit(request, Idempotency_Key="video-7")["status"] == "queued"
