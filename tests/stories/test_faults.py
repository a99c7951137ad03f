"""All faults of a body at once: where each is, and the bound it breaks."""

from __future__ import annotations

from typing import Any

from tests.harness.product import Product

IMAGE = {"prompt": "a red boat", "model": "stable-diffusion-xl"}


def _errors(product: Product, body: dict[str, Any]) -> list[dict[str, Any]]:
    """The faults of a body, without their texts; nothing is created by it."""
    answer = product.post("/generate", body)
    assert (answer.status, answer.json["code"], answer.json["charged"]) == (400, "invalid_request", "no")
    assert product.get("/jobs").json["jobs"] == []
    return [{name: value for name, value in error.items() if name != "detail"} for error in answer.json["errors"]]


def test_all_faults_are_told_at_once(product: Product) -> None:
    """A form can mark every wrong field after one request."""
    body = {**IMAGE, "prompt": " ", "width": 99_999, "num_inference_steps": "many", "max_charges": 0, "speed": "red"}
    assert _errors(product, body) == [
        {"pointer": "#/prompt", "code": "empty"},
        {"pointer": "#/max_charges", "code": "out_of_bounds", "minimum": 1, "maximum": 5},
        {"pointer": "#/speed", "code": "unknown"},
        {"pointer": "#/width", "code": "out_of_bounds", "minimum": 512, "maximum": 1_536, "multipleOf": 8},
        {"pointer": "#/num_inference_steps", "code": "wrong_type", "minimum": 1, "maximum": 100},
    ]


def test_the_first_fault_is_the_detail(product: Product) -> None:
    """A person who reads only the sentence learns that there are more."""
    answer = product.post("/generate", {**IMAGE, "prompt": "x" * 2_001, "width": 1})
    assert answer.json["field"] == "prompt"
    assert answer.json["detail"] == "`prompt` has 2,001 characters; the limit is 2,000. 1 more in `errors`."
    assert answer.json["errors"][0]["maxLength"] == 2_000


def test_a_single_fault_is_told_as_it_is(product: Product) -> None:
    """Its sentence is that of the problem."""
    answer = product.post("/generate", {**IMAGE, "width": 1})
    assert [error["detail"] for error in answer.json["errors"]] == [answer.json["detail"]]


def test_a_pointer_leads_to_nested_parameters_and_to_odd_names(product: Product) -> None:
    """By RFC 6901: `~` and `/` in a name are written as `~0` and `~1`."""
    body = {**IMAGE, "parameters": {"width": 1, "a/b~c": 2}, "height": 1}
    assert [error["pointer"] for error in _errors(product, body)] == [
        "#/parameters/a~1b~0c",
        "#/parameters/width",
        "#/height",
    ]


def test_a_fault_that_hides_all_others_stands_alone(product: Product) -> None:
    """Without a model nothing else can be checked; a body that is not JSON has no members."""
    assert _errors(product, {**IMAGE, "model": "gpt-9", "width": 1}) == [{"pointer": "#/model", "code": "invalid"}]
    assert [error["pointer"] for error in product.post("/generate", b"{").json["errors"]] == ["#"]


def test_a_fault_of_the_query_has_no_pointer(product: Product) -> None:
    """It is not in the body; `field` names it."""
    refused = product.get("/jobs?limit=0").json
    assert (refused["field"], "errors" in refused) == ("limit", False)


def test_a_broken_image_is_told_like_any_other_member(product: Product) -> None:
    """Also where it is found after all other members."""
    body = {"model": "stable-video-diffusion", "image": "data:image/png;base64,aGVsbG8="}
    assert _errors(product, body) == [{"pointer": "#/image", "code": "invalid"}]


def test_a_body_of_many_faults_is_told_twenty(product: Product) -> None:
    """Else a body of a few megabytes would have an answer that is larger than Lambda takes."""
    unknown = {f"{name}{'x' * 40}": 1 for name in range(50_000)}
    for body in ({**IMAGE, **unknown}, {**IMAGE, "parameters": unknown}):
        answer = product.post("/generate", body)
        assert (answer.status, len(answer.json["errors"]), len(answer.body) < 10_000) == (400, 20, True)
