"""Predictions at Replicate's stand-in: their progress, their refusals, and which of them are billed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.stand_ins.replicate import ReplicateServer

FLUX = "/v1/models/black-forest-labs/flux-schnell/predictions"


@pytest.fixture
def server() -> Iterator[ReplicateServer]:
    """A stand-in whose predictions end at their third poll."""
    with ReplicateServer(quick=True, polls=2) as server:
        yield server


def ask(server: ReplicateServer, method: str, path: str, body: Any = None) -> requests.Response:
    """The answer to a request with this JSON body."""
    return requests.request(method, server.url + path, json=body, timeout=20, allow_redirects=False)


def make(server: ReplicateServer, **given: Any) -> requests.Response:
    """The answer to an order; `given` are fields of its input."""
    return ask(server, "POST", FLUX, {"input": {"prompt": "a calm sea", **given}})


def poll(server: ReplicateServer, prediction: dict[str, Any]) -> Any:
    """A prediction, as the API shows it after one more poll."""
    return ask(server, "GET", f"/v1/predictions/{prediction['id']}").json()


def test_a_prediction_ends_after_its_polls(server: ReplicateServer) -> None:
    """With `polls` at 2, the third poll is the first that shows the prediction as succeeded."""
    prediction = make(server).json()
    assert [prediction["status"], *(poll(server, prediction)["status"] for _ in range(4))] == [
        "starting",
        "processing",
        "processing",
        "succeeded",
        "succeeded",
    ]


def test_a_prediction_ends_after_its_seconds(server: ReplicateServer) -> None:
    """With `seconds` at 60, a poll ends the prediction only if it is at least 60 seconds old."""
    server.polls, server.seconds = 0, 60
    prediction = make(server).json()
    assert poll(server, prediction)["status"] == "processing"
    server.predictions[0].created_at -= 60
    assert poll(server, prediction)["status"] == "succeeded"


@pytest.mark.parametrize(
    ("fault", "status", "billed"),
    [("failed", "failed", 1), ("canceled", "canceled", 1), ("aborted", "aborted", 0), ("erased", "succeeded", 1)],
)
def test_a_prediction_is_billed_unless_it_never_started(
    server: ReplicateServer, fault: str, status: str, billed: int
) -> None:
    """An aborted prediction never starts and is free; one that ends in another status is billed."""
    server.fault(fault)
    prediction = make(server).json()
    server.finish(prediction["id"])
    assert poll(server, prediction)["status"] == status
    assert server.generations == billed


@pytest.mark.parametrize(("polls", "billed"), [(0, 0), (1, 1)])
def test_a_canceled_prediction_is_billed_if_it_had_started(server: ReplicateServer, polls: int, billed: int) -> None:
    """A canceled prediction is billed if a poll had started it, and free if none had."""
    prediction = make(server).json()
    for _ in range(polls):
        poll(server, prediction)
    ask(server, "POST", f"/v1/predictions/{prediction['id']}/cancel")
    assert (poll(server, prediction)["status"], server.generations) == ("canceled", billed)


def test_a_prediction_whose_answer_is_lost_is_made_and_billed(server: ReplicateServer) -> None:
    """With the fault `drop` the caller gets no answer, but the prediction is made."""
    server.fault("drop")
    with pytest.raises(requests.ConnectionError):
        make(server)
    assert (len(server.predictions), server.generations) == (1, 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_inference_steps": 5}, "Must be between 1 and 4"),
        ({"num_inference_steps": 4.5}, "Expected: int, given: float"),
        ({"aspect_ratio": "5:3"}, "Must be one of"),
        ({"width": 512}, "unknown"),
        ({"prompt": None}, "Expected: str"),
    ],
)
def test_an_input_that_breaks_the_models_schema_is_refused(
    server: ReplicateServer, given: dict[str, Any], message: str
) -> None:
    """An invalid input is a 422 problem document that says which field is invalid and why."""
    answer = make(server, **given)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert message in json.dumps(answer.json()["invalid_fields"])


def test_a_fault_applies_to_its_prompt_and_its_number_of_times(server: ReplicateServer) -> None:
    """A fault with a prompt and `times=2` refuses the first two orders with that prompt, and no other."""
    server.fault("credits", prompt="stormy", times=2)
    statuses = [make(server, prompt=prompt).status_code for prompt in ("calm", "stormy", "stormy", "stormy")]
    assert statuses == [201, 402, 402, 201]


def test_clear_forgets_everything(server: ReplicateServer) -> None:
    """After `clear` the stand-in remembers no request, no prediction and no fault."""
    make(server)
    server.fault("credits")
    server.clear()
    assert (server.requests, server.predictions, server.generations) == ([], [], 0)
    assert make(server).status_code == 201


def test_an_unknown_fault_is_an_error(server: ReplicateServer) -> None:
    """A fault that the table does not have raises ValueError."""
    with pytest.raises(ValueError, match="no fault is called"):
        server.fault("gremlins")
