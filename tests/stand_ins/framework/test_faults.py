"""Faults of the stand-ins: the tables of them, the requests that they meet, and their control over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.stand_ins.fal import FalServer
from local.stand_ins.fal.faults import FAULTS as FAL
from local.stand_ins.framework.answers import Answer, says
from local.stand_ins.framework.faults import FaultTable, Kind, Operation, answers, ends
from local.stand_ins.framework.server import StandIn
from local.stand_ins.hub import HubServer
from local.stand_ins.hub.faults import FAULTS as HUB
from local.stand_ins.model import ModelServer
from local.stand_ins.model.faults import FAULTS as MODEL
from local.stand_ins.replicate import ReplicateServer
from local.stand_ins.replicate.faults import FAULTS as REPLICATE
from local.stand_ins.sagemaker.faults import FAULTS as SAGEMAKER

TABLES: dict[str, FaultTable[Any]] = {
    "fal": FAL,
    "hub": HUB,
    "model": MODEL,
    "replicate": REPLICATE,
    "sagemaker": SAGEMAKER,
}
SERVERS = (FalServer, HubServer, ModelServer, ReplicateServer)
SOUND = says(200, "sound")


class Toy(StandIn):
    """A stand-in with one fault of each form."""

    table = FaultTable(
        kinds={
            "refused": answers(says(500, "refused")),
            "charged": answers(says(500, "charged"), created=True),
            "varied": answers(lambda occasion: occasion.proper(louder=True)),
            "loading": Kind(effect=lambda _: says(503, "loading"), takes={"seconds"}, timed=True),
            "failed": ends("failed"),
        },
        operations={Operation.CREATE, Operation.POLL},
    )


@pytest.fixture
def toy() -> Iterator[Toy]:
    """A toy stand-in that listens for requests."""
    with Toy() as server:
        yield server


def statuses(toy: Toy, *prompts: str, at: Operation = Operation.CREATE, model: str = "") -> list[int]:
    """The status for each prompt, asked one after the other."""
    met = [toy.faults.at(at, prompt=prompt, model=model) for prompt in prompts]
    return [toy.faults.apply(fault, lambda: SOUND).status for fault in met]


@pytest.mark.parametrize("name", TABLES)
def test_each_fault_is_either_an_effect_or_an_outcome(name: str) -> None:
    """A fault either changes the answer to a request or ends a generation, at an operation that its table has."""
    for kind in TABLES[name].kinds.values():
        assert (kind.effect is None) != (kind.outcome is None)
        assert kind.at in TABLES[name].operations


@pytest.mark.parametrize("name", TABLES)
def test_an_unknown_fault_is_an_error(name: str) -> None:
    """The error lists the faults of the table."""
    with pytest.raises(ValueError, match=r"no fault is called 'gremlins'; there are: .*throttled"):
        TABLES[name].parse("gremlins", {})


def test_an_operation_that_does_not_exist_is_an_error(toy: Toy) -> None:
    """The error lists the operations of the table."""
    with pytest.raises(ValueError, match="nothing can go wrong at 'file'; there are: create, poll"):
        toy.fault("refused", at="file")


def test_a_detail_that_no_fault_takes_is_an_error(toy: Toy) -> None:
    """A detail without effect would mislead the test that gives it, so it raises TypeError."""
    with pytest.raises(
        TypeError, match="no fault here takes form; there are: at, created, model, prompt, seconds, times"
    ):
        toy.fault("refused", form="list")


def test_a_fault_applies_to_its_prompt_and_its_number_of_times(toy: Toy) -> None:
    """A fault meets one request, or as many as `times` says, or with None each request."""
    toy.fault("refused", prompt="storm", times=2)
    assert statuses(toy, "calm", "storm", "a storm", "storm") == [200, 500, 500, 200]
    toy.fault("refused")
    assert statuses(toy, "calm", "calm") == [500, 200]
    toy.fault("refused", times=None)
    assert statuses(toy, *["calm"] * 9) == [500] * 9


def test_a_fault_applies_to_its_operation_and_its_model(toy: Toy) -> None:
    """A request of another operation or another model gets its proper answer."""
    toy.fault("refused", at="poll", model="small")
    assert statuses(toy, "calm", at=Operation.CREATE, model="small") == [200]
    assert statuses(toy, "calm", at=Operation.POLL, model="large") == [200]
    assert statuses(toy, "calm", at=Operation.POLL, model="small") == [500]


def test_a_fault_added_twice_applies_twice(toy: Toy) -> None:
    """Each call of `fault` adds a rule, even if an equal one is in force."""
    toy.fault("refused")
    toy.fault("refused")
    assert statuses(toy, "calm", "calm", "calm") == [500, 500, 200]


def test_the_oldest_fault_applies_first(toy: Toy) -> None:
    """The second fault applies once the first is used up."""
    toy.fault("refused")
    toy.fault("loading", seconds=60)
    assert statuses(toy, "calm", "calm", "calm") == [500, 503, 503]


def test_a_timed_fault_ends_by_itself(toy: Toy) -> None:
    """A timed fault lasts for its seconds from the first request that it meets."""
    toy.fault("loading", seconds=0.05)
    assert statuses(toy, "calm") == [503]
    toy.closed.wait(0.06)
    assert statuses(toy, "calm") == [200]


def test_an_outcome_applies_to_the_generation_and_not_to_the_request(toy: Toy) -> None:
    """The order gets its proper answer, and the generation with that prompt ends with the outcome, once."""
    toy.fault("failed", prompt="storm")
    assert statuses(toy, "storm") == [200]
    assert [toy.faults.outcome(prompt=prompt) for prompt in ("calm", "storm", "storm")] == [None, "failed", None]


@pytest.mark.parametrize(
    ("fault", "created", "expected"),
    [("refused", None, False), ("refused", True, True), ("charged", None, True), ("charged", False, False)],
)
def test_a_fault_decides_whether_the_generation_is_made(
    toy: Toy, fault: str, created: bool | None, expected: bool
) -> None:
    """The kind of the fault decides whether the generation is made, unless `created` is given."""
    assert toy.faults.creates(toy.fault(fault, created=created)) is expected


def test_an_effect_can_change_the_proper_answer(toy: Toy) -> None:
    """An effect can pass keywords to the function that makes the proper answer."""

    def proper(*, louder: bool = False) -> Answer:
        return says(200, {"louder": louder})

    assert toy.faults.apply(toy.fault("varied"), proper).body == b'{"louder": true}'


@pytest.mark.parametrize("server", SERVERS)
def test_each_stand_in_can_be_controlled_over_http(
    server: type[FalServer | HubServer | ModelServer | ReplicateServer],
) -> None:
    """POST adds a fault, GET shows the requests without their tokens, and DELETE removes both."""
    with server(quick=True) as stand_in:
        control = f"{stand_in.url}/control"
        added = requests.post(f"{control}/faults", json={"fault": "throttled", "retry_after": 7}, timeout=5)
        assert (added.status_code, added.json()["times"]) == (201, 1)
        requests.get(f"{stand_in.url}/x", headers={"Authorization": "Key secret"}, timeout=5)
        seen = requests.get(f"{control}/requests", timeout=5)
        assert [request["path"] for request in seen.json()["requests"]] == ["/x"]
        assert "secret" not in seen.text
        assert requests.delete(control, timeout=5).status_code == 204
        assert (stand_in.requests, stand_in.faults.at("create")) == ([], None)


@pytest.mark.parametrize("body", [{"fault": "gremlins"}, {"fault": "drop", "color": "red"}, {}, ["drop"]])
def test_a_misspelled_fault_is_refused_over_http(body: Any) -> None:
    """A misspelled fault is a 400 with the reason, and no fault is added."""
    with ModelServer(quick=True) as server:
        answer = requests.post(f"{server.url}/control/faults", json=body, timeout=5)
        assert (answer.status_code, bool(answer.json()["error"])) == (400, True)
        assert server.faults.at("create") is None


def test_a_stand_in_without_paths_answers_404(toy: Toy) -> None:
    """The 404 has the header with which each stand-in says that no model made its answers."""
    answer = requests.put(f"{toy.url}/x", timeout=5)
    assert (answer.status_code, answer.text) == (404, "Cannot PUT /x")
    assert answer.headers["x-longplay-stand-in"] == "rendered by procedure; no model made this"
