"""OpenAI's clients: images in base64 or by URL, and errors in their form."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
import requests
from longplay.http.faces import contract

from tests.harness.product import Product
from tests.stories.faces.client import ask

IMAGES = "/v1/images/generations"
BOAT = {"model": "stable-diffusion-v1-5", "prompt": "a boat", "size": "512x512"}
At = Callable[[float, Callable[[], object]], None]


def _jobs(product: Product) -> list[dict[str, Any]]:
    return list(product.get("/jobs").json["jobs"])


@pytest.mark.parametrize("seconds", [3, 90])
def test_the_answer_has_the_image(product: Product, at: At, seconds: int) -> None:
    """In base64, which is the default here, after a moment or after redirects."""
    at(seconds, product.deliver)
    answer = ask(product, IMAGES, {**BOAT, "num_inference_steps": 9, "quality": "hd", "user": "u1"})
    [job] = _jobs(product)
    assert (answer.status, answer.headers["X-Longplay-Job"]) == (200, job["id"])
    assert [base64.b64decode(image["b64_json"]) for image in answer.json["data"]] == [product.file(job)]
    assert (job["parameters"]["width"], job["parameters"]["num_inference_steps"]) == (512, 9)


def test_members_for_other_models_are_left_out_and_named(product: Product, at: At) -> None:
    """Clients style OpenAI's own models by them."""
    at(1, product.deliver)
    answer = ask(product, IMAGES, {**BOAT, "quality": "hd", "background": "auto"})
    assert (answer.status, answer.headers["X-Longplay-Ignored"]) == (200, "quality, background")


@pytest.mark.parametrize("wanted", [{"response_format": "url"}, {}])
def test_the_answer_has_a_url(
    product: Product, at: At, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, str]
) -> None:
    """Where the request wants it, or the image is too large for an answer, also after a redirect."""
    if not wanted:
        monkeypatch.setattr("longplay.http.faces.openai.MOST_INLINE", 10)
    at(40, product.deliver)
    [image] = ask(product, IMAGES, {**BOAT, **wanted}).json["data"]
    [job] = _jobs(product)
    assert requests.get(image["url"], timeout=9).content == product.file(job)


def test_a_file_that_is_too_large_for_an_answer_is_redirected_to(
    product: Product, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hugging Face's clients follow to its presigned URL."""
    monkeypatch.setattr(contract, "MOST_INLINE", 10)
    at(3, product.deliver)
    answer = ask(product, "/models/musicgen-small", {"inputs": "a calm cello", "parameters": {"duration": 1}})
    [job] = _jobs(product)
    assert answer.status == 303
    assert requests.get(answer.headers["Location"], timeout=9).content == product.file(job)


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "several images": ({"n": 2}, "n", "a request for each image"),
    "no number of images": ({"n": "1"}, "n", "`n` must be 1"),
    "a stream": ({"stream": True}, "stream", "come whole"),
    "an unknown model": ({"model": "dall-e-3"}, "model", "stable-diffusion-v1-5"),
    "no name of a model": ({"model": 7}, "model", "no such model"),
    "a model of another kind": ({"model": "musicgen-small"}, "kind", "generates music"),
    "a size in words": ({"size": "large"}, "size", "512x512"),
    "a size out of bounds": ({"size": "8x8"}, "width", "`width`"),
    "a size of digits of other scripts": ({"size": "٥١٢x512"}, "size", "512x512"),
    "an unknown form": ({"response_format": "png"}, "response_format", "b64_json, url"),
    "no prompt": ({"prompt": None}, "prompt", "is missing"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_request_is_refused_in_their_form(product: Product, case: str) -> None:
    """400 with the member and what is right; nothing is created, and clients do not repeat it."""
    members, param, said = WRONG[case]
    refused = ask(product, IMAGES, {**BOAT, **members})
    error = refused.json["error"]
    assert (refused.status, error["type"], error["param"]) == (400, "invalid_request_error", param)
    assert (said in error["message"], refused.headers["X-Should-Retry"], _jobs(product)) == (True, "false", [])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"prompt": "\xff"}'])
def test_a_body_that_is_no_object_is_refused(product: Product, body: bytes) -> None:
    """With both contracts."""
    assert ask(product, IMAGES, body).json["error"]["code"] == "invalid_request"
    assert ask(product, "/models/musicgen-small", body).json["code"] == "invalid_request"


@pytest.mark.parametrize(("fresh", "again"), [({}, "true"), ({"fresh": True}, "false")])
def test_after_the_last_redirect_a_client_repeats_what_finds_the_job(
    product: Product, clock: object, fresh: dict[str, Any], again: str
) -> None:
    """504; the header says whether a repeat is free of a second charge."""
    late = ask(product, IMAGES, {**BOAT, **fresh})
    assert (late.status, late.headers["X-Should-Retry"]) == (504, again)
    assert _jobs(product)[0]["id"] in late.json["error"]["message"]


def test_a_failure_is_not_repeated_by_the_client(product: Product, at: At, model_server: Any) -> None:
    """The message has the cost; the caller decides."""
    model_server.fault("invalid", times=None)
    at(1, product.deliver)
    failed = ask(product, IMAGES, BOAT)
    assert (failed.status, failed.headers["X-Should-Retry"]) == (400, "false")
    assert failed.json["error"]["message"].endswith("Nothing was charged.")


def test_the_models_are_listed_in_their_form(product: Product) -> None:
    """Those that GET /models has, and each alone, by any of its names."""
    listed = product.face("GET", "/v1/models").json["data"]
    assert [model["id"] for model in listed] == [model["id"] for model in product.get("/models").json["models"]]
    assert product.face("GET", f"/v1/models/{listed[0]['id']}").json == listed[0]
    assert product.face("GET", "/v1/models/gpt-9").json["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("path", ["/v1/images/generations", "/models/musicgen-small"])
def test_a_page_may_ask_first(product: Product, path: str) -> None:
    """A browser's question before a call is answered without a key, with the headers it may send."""
    answer = product.face("OPTIONS", path, headers={"Origin": "https://example.com"})
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]


def test_an_unknown_path_has_an_answer_in_the_form_of_its_contract(product: Product) -> None:
    """404 with the paths there are."""
    assert product.face("POST", "/v1/audio/speech", {}).json["error"]["code"] == "not_found"
    assert "POST /models/{id}" in product.face("POST", "/models/a/b/c", {}).json["error"]
