"""Requests in Hugging Face's contract: their headers, body and token."""

from __future__ import annotations

import base64
import socket
from typing import Any

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.hugging_face.adapter import HuggingFace, token_name

from tests.providers.failures import facts
from tests.providers.hugging_face.calls import Failure, Submit
from tests.providers.payloads import OWN_TOKEN, SOUND, TOKEN, encoded, image_file, video_file
from tests.providers.raw_server import RawServer, Request, answer
from tests.providers.tokens import Tokens

REFUSED_NESTED = "The following `model_kwargs` are not used by the model: ['generate_kwargs']"
ROUTER = "https://router.huggingface.co/hf-inference/models/facebook/musicgen-small"


def sent(server: RawServer, submit: Submit, kind: str = "music", answer: bytes = SOUND, **fields: Any) -> Request:
    """The request that a call makes."""
    server.says(200, answer)
    submit(kind, **fields)
    return server.requests[0]


def test_a_request_is_json_and_accepts_one_type(server: RawServer, submit: Submit) -> None:
    """A request names `application/json` as its type and as the one type it accepts."""
    headers = sent(server, submit).headers
    assert (headers["content-type"], headers["accept"]) == ("application/json", "application/json")


@pytest.mark.parametrize(
    ("kind", "answer", "accept"),
    [("image", image_file(), "image/png"), ("video", video_file(), "video/mp4")],
)
def test_a_request_accepts_the_type_of_its_kind(
    server: RawServer, submit: Submit, kind: str, answer: bytes, accept: str
) -> None:
    """A request for an image or a video accepts the type of that kind."""
    assert sent(server, submit, kind, answer).headers["accept"] == accept


def test_a_request_goes_to_the_address_unchanged(server: RawServer, submit: Submit) -> None:
    """The path of the call's address is used unchanged."""
    assert sent(server, submit).line == "POST /models/facebook/musicgen-small HTTP/1.1"


def test_toolkit_music_arguments_are_nested(server: RawServer, submit: Submit) -> None:
    """The toolkit gets its music arguments in `generate_kwargs`, without genre and seed."""
    parameters = {"genre": "jazz", "duration": 8, "guidance_scale": 4.5, "seed": 7}
    assert sent(server, submit, parameters=parameters).json == {
        "inputs": "slow jazz",
        "parameters": {"generate_kwargs": {"do_sample": True, "guidance_scale": 4.5, "max_new_tokens": 400}},
    }


def test_a_handler_that_wants_flat_arguments_gets_them(server: RawServer, submit: Submit, tokens: Tokens) -> None:
    """It refuses nested ones free of charge, is asked again, and is remembered."""

    def script(connection: socket.socket) -> None:
        nested = "generate_kwargs" in server.requests[-1].json["parameters"]
        refused = answer(400, encoded({"error": REFUSED_NESTED}))
        connection.sendall(refused if nested else answer(200, SOUND))

    server.script = script
    provider = HuggingFace(tokens.get, forget_tokens=tokens.forget)
    for _ in range(2):
        assert submit(provider=provider).files[0].content_type == "audio/wav"
    asked = ["generate_kwargs" in request.json["parameters"] for request in server.requests]
    assert asked == [True, False, False]


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [(400, "bad steps", "music"), (500, "generate_kwargs", "music"), (400, "generate_kwargs", "image")],
)
def test_any_other_refusal_is_not_asked_again(
    server: RawServer, failure: Failure, status: int, said: str, kind: str
) -> None:
    """Nor one that may be charged."""
    server.says(status, encoded({"error": said}))
    failure(kind)
    assert len(server.requests) == 1


def test_a_handler_that_refuses_both_forms_is_asked_twice(server: RawServer, failure: Failure) -> None:
    """Then its second refusal is the failure."""
    server.says(400, encoded({"error": REFUSED_NESTED}))
    assert failure().kind is FailureKind.BAD_INPUT
    assert len(server.requests) == 2


def test_tutorial_music_arguments_are_flat(server: RawServer, submit: Submit) -> None:
    """A tutorial handler gets its music arguments directly in `parameters`."""
    body = sent(server, submit, style="flat", parameters={"duration": 30}).json
    assert body["parameters"] == {"do_sample": True, "max_new_tokens": 1500}


@pytest.mark.parametrize(("duration", "count"), [(1, 50), (1.1, 55), (1.01, 51), (8.2, 410), (29.99, 1500)])
def test_music_is_fifty_tokens_a_second(server: RawServer, submit: Submit, duration: float, count: int) -> None:
    """A duration becomes 50 audio tokens a second, rounded up."""
    body = sent(server, submit, parameters={"duration": duration}).json
    assert body["parameters"]["generate_kwargs"]["max_new_tokens"] == count


def test_image_parameters_are_unchanged(server: RawServer, submit: Submit) -> None:
    """A request for an image carries the call's parameters unchanged."""
    parameters = {
        "width": 512,
        "height": 512,
        "num_inference_steps": 30,
        "guidance_scale": 7.5,
        "negative_prompt": "blur",
        "seed": 0,
    }
    body = sent(server, submit, "image", image_file(), parameters=parameters).json
    assert body == {"inputs": "slow jazz", "parameters": parameters}


@pytest.mark.parametrize(("duration", "frames"), [(2, 49), (3, 73), (5, 121)])
def test_video_duration_becomes_frames(server: RawServer, submit: Submit, duration: float, frames: int) -> None:
    """A video's duration becomes a number of frames at 24 a second."""
    parameters = {"duration": duration, "num_inference_steps": 30}
    body = sent(server, submit, "video", video_file(), parameters=parameters).json
    assert body == {
        "inputs": "slow jazz",
        "parameters": {"num_inference_steps": 30, "fps": 24, "num_frames": frames},
    }


def test_an_input_image_takes_the_place_of_the_prompt(server: RawServer, submit: Submit) -> None:
    """With an input image, `inputs` is the image and the prompt is a parameter."""
    image = image_file("JPEG")
    body = sent(server, submit, "video", video_file(), image=image, parameters={"duration": 4}).json
    assert base64.b64decode(body["inputs"]) == image
    assert body["parameters"] == {"prompt": "slow jazz", "fps": 7, "num_frames": 29}


@pytest.mark.parametrize(
    "url",
    [
        ROUTER,
        "https://huggingface.co/x",
        "https://ROUTER.HuggingFace.co:443/x",
        "https://ab12.us-east-1.aws.endpoints.huggingface.cloud",
    ],
)
def test_hugging_faces_hosts_get_its_token(url: str) -> None:
    """An address on a host of Hugging Face uses Hugging Face's token."""
    assert token_name(url) == "huggingface"


@pytest.mark.parametrize(
    "url",
    [
        "https://huggingface.co.evil.example/x",
        "https://evilhuggingface.co/x",
        "https://evil.example/huggingface.co",
        "https://evil.example/?.huggingface.co",
        "https://evil.example#.huggingface.co",
        r"https://evil.example\.huggingface.co",
        "https://huggingface.cloud/x",
        "https://endpoints.huggingface.cloud.evil.example",
        "https://huggingface.co./x",
        "http://127.0.0.1:80/",
        "http://localhost/",
    ],
)
def test_other_hosts_do_not_get_hugging_faces_token(url: str) -> None:
    """An address that only resembles Hugging Face's uses the token for self-hosted servers."""
    assert token_name(url) == "self_hosted"


@pytest.mark.parametrize("url", ["http://router.huggingface.co/x", "https://a:b@router.huggingface.co/x", ""])
def test_an_unusable_address_is_not_served(failure: Failure, url: str) -> None:
    """An address that cannot be used is NOT_SERVED."""
    assert failure(url=url).kind is FailureKind.NOT_SERVED


def test_a_self_hosted_server_gets_the_operators_token(server: RawServer, submit: Submit) -> None:
    """A self-hosted server gets the operator's token."""
    server.says(200, SOUND)
    submit()
    assert server.requests[0].headers["authorization"] == f"Bearer {OWN_TOKEN}"


def test_hugging_faces_token_does_not_replace_a_missing_one(server: RawServer, submit: Submit, tokens: Tokens) -> None:
    """Without the operator's token, a self-hosted server gets none."""
    del tokens["self_hosted"]
    server.says(200, SOUND)
    submit()
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("url", [ROUTER, "https://x.eu-west-1.aws.endpoints.huggingface.cloud/"])
def test_a_missing_token_costs_nothing(failure: Failure, tokens: Tokens, url: str) -> None:
    """Without Hugging Face's token the call is NO_TOKEN, costs nothing, and the failure names the command."""
    del tokens["huggingface"]
    error = failure(url=url)
    assert facts(error) == (FailureKind.NO_TOKEN, Charged.NO)
    assert "facebook/musicgen-small" in error.message
    assert "`make token PROVIDER=huggingface`" in error.message


def test_a_refused_token_is_read_again(server: RawServer, failure: Failure, tokens: Tokens) -> None:
    """A refused token is forgotten, so that the next call reads it again."""
    server.says(401)
    failure()
    assert tokens.forgotten == 1


def test_a_failure_does_not_contain_a_token(server: RawServer, failure: Failure) -> None:
    """A token that a server repeats is removed from the failure and its request id."""
    said = f"bad {OWN_TOKEN}, {TOKEN}, Bearer abc.def and {'x' * 250} {OWN_TOKEN}"
    server.says(400, encoded({"error": said}), {"X-Request-Id": OWN_TOKEN})
    error = failure()
    for text in (error.message, str(error), str(error.request_id)):
        assert not any(secret in text for secret in (OWN_TOKEN, OWN_TOKEN[:12], TOKEN, "abc.def"))
