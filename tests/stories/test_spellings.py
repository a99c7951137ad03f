"""One wish can be written in several ways: null or left out, 512 or 512.0, nested or flat, or as a job's document."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from longplay.domain.spellings import SHOWN_ONLY
from longplay.http.documents import Job

from local.stand_ins.model import ModelServer
from tests.harness.aws import BUCKET, TABLE
from tests.harness.images import data_uri, encoded_image
from tests.harness.product import Product

TRACK = {"prompt": "calm guitar", "duration": 2}
SKETCH: dict[str, Any] = {"prompt": "a red boat", "model": "stable-diffusion-v1-5"}
VIDEO: dict[str, Any] = {"model": "stable-video-diffusion", "image": data_uri(encoded_image())}
BOB = "lp_bob_0123456789abcdef"

EQUAL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "every field null": (
        SKETCH,
        {
            **SKETCH,
            **dict.fromkeys(["width", "height", "num_inference_steps", "guidance_scale", "negative_prompt", "seed"]),
            **dict.fromkeys(
                ["kind", "image", "max_charges", "deadline_seconds", "fresh", "tags", "inputs", "parameters"]
            ),
        },
    ),
    "a null model": ({"prompt": "x"}, {"prompt": "x", "model": None, "kind": None, "duration": None, "genre": None}),
    "a null tag": ({**SKETCH, "tags": {"a": "b"}}, {**SKETCH, "tags": {"a": "b", "c": None}}),
    "null in parameters": ({**SKETCH, "width": 256}, {**SKETCH, "width": 256, "parameters": {"width": None}}),
    "whole numbers with a point": (
        {**SKETCH, "width": 512, "num_inference_steps": 30, "max_charges": 1, "deadline_seconds": 60},
        {**SKETCH, "width": 512.0, "num_inference_steps": 3e1, "max_charges": 1.0, "deadline_seconds": 60.0},
    ),
    "numbers with a point": ({**SKETCH, "guidance_scale": 7}, {**SKETCH, "guidance_scale": 7.0}),
    "inputs": (SKETCH, {"inputs": SKETCH["prompt"], "model": SKETCH["model"]}),
    "nested parameters": (
        {**SKETCH, "width": 256, "seed": 7},
        {**SKETCH, "parameters": {"width": 256, "seed": 7}},
    ),
    "nested beside flat": (
        {**SKETCH, "width": 256, "seed": 7, "tags": {"a": "b"}},
        {**SKETCH, "width": 256, "parameters": {"seed": 7.0}, "tags": {"a": "b"}},
    ),
    "no prompt for a video from an image": (VIDEO, {**VIDEO, "prompt": ""}),
}


@pytest.mark.parametrize(("one", "other"), EQUAL.values(), ids=EQUAL.keys())
def test_two_ways_to_write_a_wish_are_one_request(product: Product, one: Any, other: Any) -> None:
    """The second way follows the job of the first: it is the same generation at the same price."""
    first, second = product.submit(one), product.submit(other)
    assert second["wait"]["reason"] == "coalesced"
    same = ("kind", "model", "prompt", "parameters", "tags", "cost", "max_charges", "deadline_seconds")
    assert {name: second.get(name) for name in same} == {name: first.get(name) for name in same}


def test_null_is_the_same_body_under_an_idempotency_key(product: Product) -> None:
    """A client that writes null for what is left out, and then does not, repeats its request."""
    first = product.submit({**TRACK, "genre": None}, Idempotency_Key="order-7")
    assert product.submit(TRACK, Idempotency_Key="order-7")["id"] == first["id"]


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "a null field that is unknown": ({**TRACK, "tempo": None}, "tempo", "it takes: prompt"),
    "half a pixel": ({**SKETCH, "width": 512.5}, "width", "whole number from 256 to 1024, a multiple of 8"),
    "a whole number as text": ({**SKETCH, "width": "512"}, "width", "whole number from 256"),
    "true for a number": ({**SKETCH, "width": True}, "width", "whole number from 256"),
    "a huge number with a point": ({**SKETCH, "width": 1e300}, "width", "to 1024"),
    "seed -2": ({**SKETCH, "seed": -2}, "seed", "from 0 to 4294967295, or -1 for a random one"),
    "a seed that the model has not": ({**TRACK, "seed": -1}, "seed", "it takes: prompt"),
    "inputs and prompt": ({**TRACK, "inputs": "calm guitar"}, "inputs", "send one of them"),
    "empty inputs": ({"inputs": ""}, "inputs", "1 to 2,000"),
    "inputs that are no text": ({"inputs": ["a", "b"]}, "inputs", "1 to 2,000"),
    "a parameter twice": ({**TRACK, "parameters": {"duration": 2}}, "duration", "given twice"),
    "parameters that are a list": ({**TRACK, "parameters": [1]}, "parameters", "duration"),
    "an unknown parameter": ({**TRACK, "parameters": {"do_sample": True}}, "do_sample", "it takes: prompt"),
    "an option among the parameters": ({**TRACK, "parameters": {"fresh": True}}, "fresh", "it takes: prompt"),
    "a prompt among the parameters": ({"inputs": "x", "parameters": {"prompt": "y"}}, "prompt", "it takes"),
    "a parameter out of bounds": ({**SKETCH, "parameters": {"width": 8}}, "width", "from 256 to 1024"),
    "tags that differ in white space": ({**TRACK, "tags": {" a": "1", "a": "2"}}, "tags", "`a` twice"),
    "a tag that is a number": ({**TRACK, "tags": {"a": 1}}, "tags", "The tag `a` must be text of 1 to 100"),
    "an empty name of a tag": ({**TRACK, "tags": {"": "1"}}, "tags", "1 to 100"),
    "an empty name of a field": ({**TRACK, "": 1}, '""', "it takes: prompt"),
    "a name with a control character": ({**TRACK, "a\x00\ud800": 1}, "aU+0000U+D800", "it takes: prompt"),
    "a long name": ({**TRACK, "x" * 5_000: 1}, "x" * 60, "it takes: prompt"),
    "a part of a job's document": ({**TRACK, "id": "x", "status": "queued"}, "id", "it takes: prompt"),
    "an image of a job that is unknown": ({**VIDEO, "image": "job:" + "a" * 26}, "image", "names a job"),
}


@pytest.mark.parametrize(("body", "field", "bound"), REFUSED.values(), ids=REFUSED.keys())
def test_an_unclear_wish_is_refused_by_name(product: Product, body: Any, field: str, bound: str) -> None:
    """The answer names the field and what it may be, and nothing is created."""
    answer = product.post("/generate", body)
    assert (answer.status, answer.json["field"]) == (400, field), answer.body
    assert bound in answer.json["detail"]
    assert product.aws.dynamodb.scan(TableName=TABLE)["Count"] == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"prompt": "x", "duration": 2, "duration": 3}', "duration"),
        ('{"prompt": "x", "tags": {"a": "1", "a": "2"}}', "a"),
        ('{"prompt": "x", "prompt": "y"}', "prompt"),
    ],
)
def test_a_member_that_is_given_twice_is_refused(product: Product, body: str, field: str) -> None:
    """JSON allows a name twice, and readers then take one of the values without a word."""
    answer = product.post("/generate", body)
    assert (answer.status, answer.json["field"]) == (400, field)
    assert "given twice" in answer.json["detail"]


def test_a_random_seed_is_shown_and_kept(product: Product, model_server: ModelServer) -> None:
    """A seed of -1 becomes a random one: two jobs get two seeds, the model gets the seed that the job shows."""
    first, second = (product.submit({**SKETCH, "seed": seed}) for seed in (-1, -1.0))
    seeds = [job["parameters"]["seed"] for job in (first, second)]
    assert len(set(seeds)) == 2
    assert all(0 <= seed <= 4_294_967_295 for seed in seeds)
    product.deliver()
    assert {request.parameters["seed"] for request in model_server.requests} == set(seeds)


def test_a_replay_with_a_random_seed_finds_its_job(product: Product) -> None:
    """The body is the same, so the Idempotency-Key finds the job with the seed that was drawn first."""
    first = product.submit({**SKETCH, "seed": -1}, Idempotency_Key="order-7")
    again = product.submit({**SKETCH, "seed": -1}, Idempotency_Key="order-7")
    assert (again["id"], again["parameters"]["seed"]) == (first["id"], first["parameters"]["seed"])


def test_hugging_faces_body_is_taken(product: Product, model_server: ModelServer) -> None:
    """`inputs` and `parameters`, as Hugging Face's clients send them, reach the model."""
    product.submit({"inputs": "a red boat", "model": SKETCH["model"], "parameters": {"guidance_scale": 4.5}})
    product.deliver()
    [request] = model_server.requests
    assert (request.inputs, request.parameters["guidance_scale"]) == ("a red boat", 4.5)


def _succeeded(product: Product, _server: ModelServer) -> dict[str, Any]:
    job = product.submit({**TRACK, "genre": "jazz", "max_charges": 1, "deadline_seconds": 90, "tags": {"a": "b"}})
    product.deliver()
    return product.job(job["id"])


def _queued(product: Product, _server: ModelServer) -> dict[str, Any]:
    return product.submit({**SKETCH, "seed": -1, "negative_prompt": "fog"})


def _cached(product: Product, server: ModelServer) -> dict[str, Any]:
    _succeeded(product, server)
    return dict(product.post("/generate", {**TRACK, "genre": "jazz"}).json)


def _canceled(product: Product, _server: ModelServer) -> dict[str, Any]:
    job = product.submit(TRACK)
    return dict(product.post(f"/jobs/{job['id']}/cancel").json)


def _failed(product: Product, server: ModelServer) -> dict[str, Any]:
    server.fault("invalid", times=2)
    job = product.submit(TRACK)
    product.deliver()
    product.deliver()
    return product.job(job["id"])


def _retried(product: Product, server: ModelServer) -> dict[str, Any]:
    return dict(product.post(f"/jobs/{_failed(product, server)['id']}/retry").json)


def _from_an_image(product: Product, _server: ModelServer) -> dict[str, Any]:
    job = product.submit(VIDEO)
    product.deliver()
    return product.job(job["id"])


DOCUMENTS = {
    "queued": _queued,
    "succeeded": _succeeded,
    "cached": _cached,
    "canceled": _canceled,
    "failed": _failed,
    "retried": _retried,
    "from an image": _from_an_image,
}


@pytest.mark.parametrize("make", DOCUMENTS.values(), ids=DOCUMENTS.keys())
def test_a_jobs_document_can_be_posted_back(
    product: Product, model_server: ModelServer, make: Callable[[Product, ModelServer], dict[str, Any]]
) -> None:
    """It makes a new job with the same request: prompt, parameters, seed, image, tags, deadline and money."""
    document = make(product, model_server)
    answer = product.post("/generate", document)
    assert answer.status in (200, 202), answer.body
    same = ("kind", "model", "prompt", "parameters", "tags", "max_charges", "deadline_seconds")
    assert {name: answer.json.get(name) for name in same} == {name: document.get(name) for name in same}
    assert answer.json["id"] != document["id"]


def test_a_jobs_document_is_the_same_generation(product: Product, model_server: ModelServer) -> None:
    """A document of a finished job gets its file at once, also where it started from an image."""
    for make in (_succeeded, _from_an_image):
        assert product.post("/generate", make(product, model_server)).json["cached"] is True


def test_a_document_with_a_change_makes_another_generation(product: Product, model_server: ModelServer) -> None:
    """A member beside the document counts, and a member that is in no document is still unknown."""
    document = _succeeded(product, model_server)
    again = product.post("/generate", {**document, "fresh": True})
    assert (again.status, again.json["status"]) == (202, "queued")
    assert product.post("/generate", {**document, "tempo": 7}).json["field"] == "tempo"


def test_the_image_of_a_job_is_only_for_its_owner(product: Product) -> None:
    """Another owner's job answers as an unknown one, and so does a job without an image or a deleted one."""
    job = product.submit(VIDEO)
    song = product.submit(TRACK)
    product.deliver()
    references = {name: {**VIDEO, "image": f"job:{name}"} for name in (job["id"], song["id"], "a" * 26)}
    foreign = product.post("/generate", references[job["id"]], key=BOB)
    details = {product.post("/generate", body).json["detail"] for name, body in references.items() if name != job["id"]}
    assert details == {foreign.json["detail"]}
    product.delete(f"/jobs/{job['id']}")
    assert product.post("/generate", references[job["id"]]).json["detail"] == foreign.json["detail"]


def test_the_image_of_an_expired_job_is_refused(product: Product) -> None:
    """After a job's retention its image cannot be used, even if S3 has not removed it yet."""
    reference = {**VIDEO, "image": f"job:{product.submit(VIDEO)['id']}", "fresh": True}
    assert product.post("/generate", reference).status == 202
    with time_machine.travel(time.time() + 8 * 86_400, tick=False):
        assert product.post("/generate", reference).json["field"] == "image"


def test_an_image_that_has_left_the_bucket_is_refused(product: Product) -> None:
    """A job whose image was deleted in the bucket cannot give it, and the answer is 400."""
    job = product.submit(VIDEO)
    [key] = [entry["Key"] for entry in product.aws.s3.list_objects_v2(Bucket=BUCKET, Prefix="inputs/")["Contents"]]
    product.aws.s3.delete_object(Bucket=BUCKET, Key=key)
    assert product.post("/generate", {**VIDEO, "image": f"job:{job['id']}"}).json["field"] == "image"


def test_every_member_of_a_document_is_of_a_request_or_left_out() -> None:
    """A new member of a job's view belongs in `SHOWN_ONLY`, or else a job's document is refused when it comes back."""
    of_a_request = {"kind", "model", "prompt", "parameters", "image", "max_charges", "deadline_seconds", "tags"}
    assert {*Job.__struct_fields__} == SHOWN_ONLY | of_a_request
