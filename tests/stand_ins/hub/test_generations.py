"""Generations at the stand-in of Hugging Face's Hub: their progress, their refusals, and which of them are billed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.stand_ins.hub import HubServer
from local.stand_ins.hub.served import FLUX_SCHNELL, SDXL, WAN

IMAGES = "/nscale/v1/images/generations"
IMAGE = {"model": SDXL, "prompt": "a calm sea", "response_format": "b64_json"}
VIDEO = {"model": WAN, "prompt": "a calm sea"}


@pytest.fixture
def server() -> Iterator[HubServer]:
    """A stand-in whose generations end at their third poll."""
    with HubServer(quick=True, polls=2) as server:
        yield server


def ask(server: HubServer, method: str, path: str, body: Any = None) -> requests.Response:
    """The answer to a request with this JSON body."""
    return requests.request(method, server.url + path, json=body, timeout=20, allow_redirects=False)


def order_video(server: HubServer) -> Any:
    """The parsed answer to the order of a video."""
    return ask(server, "POST", "/together/v2/videos", VIDEO).json()


def status(server: HubServer, video: dict[str, Any]) -> Any:
    """The status of a video; asking for it is a poll."""
    return ask(server, "GET", f"/together/v2/videos/{video['id']}").json()["status"]


def test_a_generation_ends_after_its_polls(server: HubServer) -> None:
    """With `polls` at 2, the third poll is the first that shows the video as completed."""
    video = order_video(server)
    seen = [video["status"], *(status(server, video) for _ in range(4))]
    assert seen == ["queued", "in_progress", "in_progress", "completed", "completed"]


def test_a_generation_ends_after_its_seconds(server: HubServer) -> None:
    """With `seconds` at 60, a poll completes the video only if it is at least 60 seconds old."""
    server.polls, server.seconds = 0, 60
    video = order_video(server)
    assert status(server, video) == "in_progress"
    server.made[0].created_at -= 60
    assert status(server, video) == "completed"


def test_finish_ends_a_generation_at_once(server: HubServer) -> None:
    """After `finish` the first poll shows the video as completed."""
    video = order_video(server)
    server.finish(video["id"])
    assert status(server, video) == "completed"


@pytest.mark.parametrize(("fault", "billed"), [("failed", 0), ("refused", 1), ("moderated", 1), ("no_output", 1)])
def test_a_generation_is_billed_unless_the_partner_failed(server: HubServer, fault: str, billed: int) -> None:
    """A generation is free if the partner's worker failed, and billed with every other outcome."""
    server.fault(fault)
    order_video(server)
    assert server.generations == billed


@pytest.mark.parametrize(("fault", "made"), [("credits", 0), ("not_json", 1)])
def test_an_order_with_an_unreadable_answer_is_billed(server: HubServer, fault: str, made: int) -> None:
    """A refused order makes no generation; one whose answer is not JSON does."""
    server.fault(fault)
    ask(server, "POST", IMAGES, IMAGE)
    assert server.generations == made


def test_a_generation_whose_answer_is_lost_is_billed(server: HubServer) -> None:
    """With the fault `drop` the caller gets no answer, but the generation is made."""
    server.fault("drop")
    with pytest.raises(requests.ConnectionError):
        ask(server, "POST", IMAGES, IMAGE)
    assert server.generations == 1


@pytest.mark.parametrize("path", ["/nscale/v2/videos", "/nobody/v1/images/generations", "/api/models/x"])
def test_an_unknown_path_is_not_found(server: HubServer, path: str) -> None:
    """An order to a partner or a path that does not exist is a 404."""
    assert ask(server, "POST", path, IMAGE).status_code == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b"7"])
def test_a_body_that_is_no_json_object_is_refused(server: HubServer, body: bytes) -> None:
    """An order whose body is not a JSON object is a 400."""
    assert requests.post(f"{server.url}{IMAGES}", data=body, timeout=20).status_code == 400


def test_a_model_that_the_partner_does_not_serve_is_refused(server: HubServer) -> None:
    """An order of a model that the partner does not serve is a 400 that names the partner."""
    answer = ask(server, "POST", IMAGES, {**IMAGE, "model": WAN})
    assert (answer.status_code, answer.json()) == (400, {"error": "Model not supported by provider nscale"})


def test_clear_forgets_everything(server: HubServer) -> None:
    """After `clear` no request, generation or fault is left, and the mapping is as it was at first."""
    order_video(server)
    server.fault("credits")
    server.mapping[SDXL] = {}
    server.clear()
    assert (server.requests, server.made, server.generations) == ([], [], 0)
    assert server.mapping[SDXL]
    assert ask(server, "POST", IMAGES, {**IMAGE, "model": FLUX_SCHNELL}).status_code == 200


def test_an_unknown_fault_is_an_error(server: HubServer) -> None:
    """A fault that the table does not have raises ValueError."""
    with pytest.raises(ValueError, match="no fault is called"):
        server.fault("gremlins")
