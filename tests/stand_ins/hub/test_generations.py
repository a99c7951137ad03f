"""How the stand-in's generations go, and what it would have billed for them."""

import pytest
import requests

from local.stand_ins.hub import HubServer
from local.stand_ins.hub.served import FLUX_SCHNELL, SDXL, WAN

PICTURE = {"model": SDXL, "prompt": "a calm sea", "response_format": "b64_json"}
VIDEO = {"model": WAN, "prompt": "a calm sea"}


@pytest.fixture
def server():
    with HubServer(quick=True, polls=2) as server:
        yield server


def ask(server, method, path, body=None):
    return requests.request(method, server.url + path, json=body, timeout=20, allow_redirects=False)


def video(server):
    return ask(server, "POST", "/together/v2/videos", VIDEO).json()


def status(server, made):
    return ask(server, "GET", f"/together/v2/videos/{made['id']}").json()["status"]


def test_a_generation_is_over_after_as_many_polls(server):
    made = video(server)
    seen = [made["status"], *(status(server, made) for _ in range(4))]
    assert seen == ["queued", "in_progress", "in_progress", "completed", "completed"]


def test_a_generation_takes_as_many_seconds(server):
    server.polls, server.seconds = 0, 60
    made = video(server)
    assert status(server, made) == "in_progress"
    server.made[0].created_at -= 60
    assert status(server, made) == "completed"


def test_a_generation_may_be_ended_at_once(server):
    made = video(server)
    server.finish(made["id"])
    assert status(server, made) == "completed"


@pytest.mark.parametrize(("fate", "billed"), [("failed", 0), ("refused", 1), ("moderated", 1), ("no_output", 1)])
def test_a_generation_is_billed_but_for_the_partners_own_faults(server, fate, billed):
    server.fault(fate)
    video(server)
    assert server.generations == billed


@pytest.mark.parametrize(("fault", "made"), [("credits", 0), ("not_json", 1)])
def test_an_order_may_be_taken_though_its_answer_is_useless(server, fault, made):
    server.fault(fault)
    ask(server, "POST", "/nscale/v1/images/generations", PICTURE)
    assert server.generations == made


def test_an_answer_may_be_lost_after_the_generation_was_made(server):
    server.fault("drop")
    with pytest.raises(requests.ConnectionError):
        ask(server, "POST", "/nscale/v1/images/generations", PICTURE)
    assert server.generations == 1


@pytest.mark.parametrize("path", ["/nscale/v2/videos", "/nobody/v1/images/generations", "/api/models/x"])
def test_what_is_not_there_is_not_found(server, path):
    assert ask(server, "POST", path, PICTURE).status_code == 404


@pytest.mark.parametrize("body", [b"{", b"[]", b"7"])
def test_an_order_that_is_none_is_refused(server, body):
    answer = requests.post(f"{server.url}/nscale/v1/images/generations", data=body, timeout=20)
    assert answer.status_code == 400


def test_a_model_is_served_by_those_who_serve_it(server):
    answer = ask(server, "POST", "/nscale/v1/images/generations", {**PICTURE, "model": WAN})
    assert (answer.status_code, answer.json()) == (400, {"error": "Model not supported by provider nscale"})


def test_everything_is_forgotten_on_request(server):
    video(server)
    server.fault("credits")
    server.mapping[SDXL] = {}
    server.clear()
    assert (server.requests, server.made, server.generations) == ([], [], 0)
    assert server.mapping[SDXL]
    assert ask(server, "POST", "/nscale/v1/images/generations", {**PICTURE, "model": FLUX_SCHNELL}).status_code == 200


def test_an_unknown_fault_is_an_error(server):
    with pytest.raises(ValueError, match="no fault is called"):
        server.fault("gremlins")
