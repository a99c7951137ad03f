"""Requests at fal's stand-in: their progress, their results, their callbacks, and which of them are billed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.stand_ins.fal import FalServer

FLUX = "/fal-ai/flux/schnell"


@pytest.fixture
def server() -> Iterator[FalServer]:
    """A stand-in whose requests end at their third poll."""
    with FalServer(quick=True, polls=2) as server:
        yield server


def ask(method: str, url: str, body: Any = None) -> requests.Response:
    """The answer to a request with this JSON body."""
    return requests.request(method, url, json=body, timeout=20, allow_redirects=False)


def make(server: FalServer, path: str = FLUX, **given: Any) -> requests.Response:
    """The answer to an order; `given` are fields of its input."""
    return ask("POST", server.url + path, {"prompt": "a calm sea", **given})


def poll(request: dict[str, Any]) -> requests.Response:
    """The answer with the status of a request."""
    return ask("GET", request["status_url"])


def end(server: FalServer, request: dict[str, Any]) -> requests.Response:
    """The answer with the result of a request, which ends now."""
    server.finish(request["request_id"])
    return ask("GET", request["response_url"])


def test_a_request_ends_after_its_polls(server: FalServer) -> None:
    """With `polls` at 2, the third poll is the first that shows the request as completed."""
    request = make(server).json()
    polled = [poll(request) for _ in range(4)]
    assert [request["status"], *(answer.json()["status"] for answer in polled)] == [
        "IN_QUEUE",
        "IN_PROGRESS",
        "IN_PROGRESS",
        "COMPLETED",
        "COMPLETED",
    ]
    assert [answer.status_code for answer in polled] == [202, 202, 200, 200]


def test_a_request_ends_after_its_seconds(server: FalServer) -> None:
    """With `seconds` at 60, a poll completes the request only if it is at least 60 seconds old."""
    server.polls, server.seconds = 0, 60
    request = make(server).json()
    assert poll(request).json()["status"] == "IN_PROGRESS"
    server.queue[0].created_at -= 60
    assert poll(request).json()["status"] == "COMPLETED"


def test_the_urls_of_a_request_name_its_app(server: FalServer) -> None:
    """The URLs of a request name its app without the rest of the endpoint, and no other app knows the request."""
    request = make(server).json()
    assert request["response_url"] == f"{server.url}/fal-ai/flux/requests/{request['request_id']}"
    assert ask("GET", request["status_url"].replace("/fal-ai/flux/", "/fal-ai/wan/")).json() == {"status": "NOT_FOUND"}


def test_a_result_exists_only_after_completion(server: FalServer) -> None:
    """The result of a request is refused with 400 until the request is completed."""
    request = make(server).json()
    assert ask("GET", request["response_url"]).status_code == 400
    assert end(server, request).json()["images"][0]["content_type"] == "image/png"


@pytest.mark.parametrize(
    ("fault", "status", "billed"),
    [("failed", 500, 0), ("not_started", 504, 0), ("refused_prompt", 422, 1), ("nsfw", 200, 1), ("erased", 404, 1)],
)
def test_a_request_is_billed_unless_fal_failed(server: FalServer, fault: str, status: int, billed: int) -> None:
    """A request that ends with a status of 500 or more is free; every other one is billed."""
    server.fault(fault)
    assert end(server, make(server).json()).status_code == status
    assert server.generations == billed


@pytest.mark.parametrize(("polls", "billed"), [(0, 0), (1, 1)])
def test_a_canceled_request_is_billed_if_it_had_started(server: FalServer, polls: int, billed: int) -> None:
    """A canceled request is billed if a poll had started it, and free if it was still in the queue."""
    request = make(server).json()
    for _ in range(polls):
        poll(request)
    assert ask("PUT", request["cancel_url"]).status_code == 202
    assert (poll(request).json()["error_type"], server.generations) == ("client_cancelled", billed)


def test_a_request_whose_answer_is_lost_is_made_and_billed(server: FalServer) -> None:
    """With the fault `drop` the caller gets no answer, but the request is in the queue."""
    server.fault("drop")
    with pytest.raises(requests.ConnectionError):
        make(server)
    assert (len(server.queue), server.generations) == (1, 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_inference_steps": 13}, "Must be between 1 and 12"),
        ({"num_inference_steps": 4.5}, "Expected: int, given: float"),
        ({"output_format": "webp"}, "Must be one of"),
        ({"width": 512}, "unknown"),
        ({"prompt": None}, "Expected: str"),
    ],
)
def test_the_model_checks_the_input_and_the_queue_does_not(
    server: FalServer, given: dict[str, Any], message: str
) -> None:
    """An invalid input is accepted with 200, and its result is a 422 that says what is invalid."""
    answer = make(server, **given)
    refused = end(server, answer.json())
    assert (answer.status_code, refused.status_code, refused.headers["x-fal-retryable"]) == (200, 422, "false")
    assert message in refused.json()["detail"][0]["msg"]


def test_an_unknown_app_is_refused_and_an_unknown_path_is_queued(server: FalServer) -> None:
    """An unknown app is a 404 at once; an unknown path of a known app is an error in the result."""
    assert make(server, "/fal-ai/riffusion").status_code == 404
    answer = make(server, "/fal-ai/flux/turbo")
    assert (answer.status_code, end(server, answer.json()).json()) == (200, {"detail": "Path /turbo not found"})


def test_an_input_image_is_fetched_only_from_this_machine(server: FalServer) -> None:
    """An input image at the stand-in's address is used; one at another host is an error in the result."""
    made = make(server).json()
    image = end(server, made).json()["images"][0]["url"]
    near = ask("POST", f"{server.url}/fal-ai/stable-video", {"image_url": image}).json()
    assert end(server, near).json()["video"]["content_type"] == "video/mp4"
    far = ask("POST", f"{server.url}/fal-ai/stable-video", {"image_url": "https://elsewhere.invalid/x.png"}).json()
    assert "Could not download" in end(server, far).text


def test_a_callback_contains_the_result_or_the_error(server: FalServer) -> None:
    """A callback goes to the URL of its order, with 64 bytes as signature, and with the result or the error."""
    server.fault("refused_prompt", prompt="stormy")
    for prompt in ("calm", "stormy"):
        make(server, f"{FLUX}?fal_webhook=https://example.com/callback?t=secret", prompt=prompt)
    calm, stormy = (server.callback(request.id) for request in server.queue)
    assert calm.url == "https://example.com/callback?t=secret"
    assert len(bytes.fromhex(calm.headers["X-Fal-Webhook-Signature"])) == 64
    assert b'"status": "OK", "payload": {"images"' in calm.body
    assert b'"status": "ERROR", "error": "Invalid status code: 422"' in stormy.body


def test_a_fault_applies_to_its_prompt_and_its_number_of_times(server: FalServer) -> None:
    """A fault with a prompt and `times=2` refuses the first two orders with that prompt, and no other."""
    server.fault("exhausted", prompt="stormy", times=2)
    statuses = [make(server, prompt=prompt).status_code for prompt in ("calm", "stormy", "stormy", "stormy")]
    assert statuses == [200, 403, 403, 200]


def test_clear_forgets_everything(server: FalServer) -> None:
    """After `clear` the stand-in remembers no request, no generation and no fault."""
    make(server)
    server.fault("exhausted")
    server.clear()
    assert (server.requests, server.queue, server.generations) == ([], [], 0)
    assert make(server).status_code == 200


def test_an_unknown_fault_is_an_error(server: FalServer) -> None:
    """A fault that the table does not have raises ValueError."""
    with pytest.raises(ValueError, match="no fault is called"):
        server.fault("gremlins")
