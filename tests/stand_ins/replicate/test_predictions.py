"""How the stand-in's predictions go, and what it would have billed for them."""

import json

import pytest
import requests

from local.stand_ins.replicate import ReplicateServer

FLUX = "/v1/models/black-forest-labs/flux-schnell/predictions"


@pytest.fixture
def server():
    with ReplicateServer(quick=True, polls=2) as server:
        yield server


def ask(server, method, path, body=None):
    return requests.request(method, server.url + path, json=body, timeout=20, allow_redirects=False)


def make(server, **given):
    return ask(server, "POST", FLUX, {"input": {"prompt": "a calm sea", **given}})


def poll(server, prediction):
    return ask(server, "GET", f"/v1/predictions/{prediction['id']}").json()


def test_a_prediction_is_over_after_as_many_polls(server):
    prediction = make(server).json()
    assert [prediction["status"], *(poll(server, prediction)["status"] for _ in range(4))] == [
        "starting",
        "processing",
        "processing",
        "succeeded",
        "succeeded",
    ]


def test_a_prediction_takes_as_many_seconds(server):
    server.polls, server.seconds = 0, 60
    prediction = make(server).json()
    assert poll(server, prediction)["status"] == "processing"
    server.predictions[0].created_at -= 60
    assert poll(server, prediction)["status"] == "succeeded"


@pytest.mark.parametrize(
    ("fate", "status", "billed"),
    [("failed", "failed", 1), ("canceled", "canceled", 1), ("aborted", "aborted", 0), ("erased", "succeeded", 1)],
)
def test_a_prediction_is_billed_unless_it_never_started(server, fate, status, billed):
    server.fault(fate)
    prediction = make(server).json()
    server.finish(prediction["id"])
    assert poll(server, prediction)["status"] == status
    assert server.generations == billed


@pytest.mark.parametrize(("polls", "billed"), [(0, 0), (1, 1)])
def test_a_canceled_prediction_is_billed_once_it_has_started(server, polls, billed):
    prediction = make(server).json()
    for _ in range(polls):
        poll(server, prediction)
    ask(server, "POST", f"/v1/predictions/{prediction['id']}/cancel")
    assert (poll(server, prediction)["status"], server.generations) == ("canceled", billed)


def test_an_answer_may_be_lost_after_the_prediction_was_made(server):
    server.fault("drop")
    with pytest.raises(requests.ConnectionError):
        make(server)
    assert (len(server.predictions), server.generations) == (1, 1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"num_inference_steps": 5}, "Must be between 1 and 4"),
        ({"num_inference_steps": 4.5}, "Expected: int, given: float"),
        ({"aspect_ratio": "5:3"}, "Must be one of"),
        ({"width": 512}, "unknown"),
        ({"prompt": None}, "Expected: str"),
    ],
)
def test_an_input_is_checked_by_the_models_schema(server, given, said):
    answer = make(server, **given)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert said in json.dumps(answer.json()["invalid_fields"])


def test_a_rule_holds_for_the_prompts_it_names_and_as_often_as_it_says(server):
    server.fault("credits", prompt="stormy", times=2)
    statuses = [make(server, prompt=prompt).status_code for prompt in ("calm", "stormy", "stormy", "stormy")]
    assert statuses == [201, 402, 402, 201]


def test_everything_is_forgotten_on_request(server):
    make(server)
    server.fault("credits")
    server.clear()
    assert (server.requests, server.predictions, server.generations) == ([], [], 0)
    assert make(server).status_code == 201


def test_an_unknown_fault_is_an_error(server):
    with pytest.raises(ValueError, match="no fault is called"):
        server.fault("gremlins")
