"""Held answers of faces are counted, so that those who wait leave room for the work they wait for."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import time_machine

from local.stand_ins.model import ModelServer
from tests.harness.aws_faults import AwsFault, aws_answers
from tests.harness.product import Answer, Product
from tests.stories.faces.client import ask

MUSIC = "/models/musicgen-small"
TRACK = {"inputs": "a calm cello", "parameters": {"duration": 1}}
ANOTHER = {**TRACK, "inputs": "a wild cello"}
At = Callable[[float, Callable[[], object]], None]


@pytest.fixture
def one_place(product_with: Callable[..., Product]) -> Product:
    """A deployment in which one answer may be held at a time."""
    return product_with(held_answers=1)


def test_a_caller_that_finds_no_place_is_told_before_anything_is_created(one_place: Product, at: At) -> None:
    """429 with Retry-After, in each contract; also between two answers of the one who has the place."""
    refused: list[Answer] = []
    for second in (1, 24, 30):
        at(second, lambda: refused.append(ask(one_place, MUSIC, ANOTHER)))
    at(40, one_place.deliver)
    assert ask(one_place, MUSIC, TRACK).status == 200
    assert [(answer.status, answer.headers["Retry-After"]) for answer in refused] == [(429, "10")] * 3
    assert "Nothing was created or charged." in refused[0].json["error"]
    assert len(one_place.get("/jobs").json["jobs"]) == 1
    assert ask(one_place, "/v1/images/generations", {"prompt": "a boat"}, redirects=0).status == 303


@pytest.mark.parametrize(
    ("body", "status"),
    [({"inputs": ""}, 400), ({**TRACK, "inputs": "x" * 9_000}, 400), ({**TRACK, "x": "y" * 10**7}, 413)],
)
def test_a_refused_request_keeps_no_place(one_place: Product, at: At, body: dict[str, object], status: int) -> None:
    """The next caller has it at once."""
    assert ask(one_place, MUSIC, body).status == status
    at(1, one_place.deliver)
    assert ask(one_place, MUSIC, TRACK).status == 200


def test_a_job_that_is_erased_while_its_caller_waits_keeps_no_place(one_place: Product, at: At) -> None:
    """410, and the next caller has the place at once."""
    at(2, lambda: one_place.post(f"/jobs/{one_place.get('/jobs').json['jobs'][0]['id']}/cancel"))
    at(2, lambda: one_place.delete(f"/jobs/{one_place.get('/jobs').json['jobs'][0]['id']}"))
    gone = ask(one_place, MUSIC, TRACK)
    assert gone.status == 410
    at(4, one_place.deliver)
    assert ask(one_place, MUSIC, ANOTHER).status == 200


def test_a_cached_result_needs_no_place(one_place: Product, at: At, model_server: ModelServer) -> None:
    """It makes no caller wait; a new request, and a fresh one, are refused all the same."""
    at(1, one_place.deliver)
    assert ask(one_place, MUSIC, TRACK).status == 200
    assert ask(one_place, MUSIC, ANOTHER, redirects=0).status == 303
    cached, fresh = ask(one_place, MUSIC, TRACK), ask(one_place, MUSIC, TRACK, headers={"x-use-cache": "false"})
    assert (cached.status, fresh.status, model_server.generations) == (200, 429, 1)
    assert len(one_place.get("/jobs").json["jobs"]) == 3


def test_a_caller_that_went_away_keeps_no_place(one_place: Product, clock: time_machine.Traveller) -> None:
    """Its place is free again a few seconds after the redirect that it did not follow."""
    assert ask(one_place, MUSIC, TRACK, redirects=0).status == 303
    assert ask(one_place, MUSIC, ANOTHER).status == 429
    clock.shift(13)
    assert ask(one_place, MUSIC, ANOTHER, redirects=0).status == 303


def test_a_caller_that_comes_back_late_takes_another_place_or_is_told_of_its_job(
    one_place: Product, clock: time_machine.Traveller, model_server: ModelServer
) -> None:
    """It does not take the place of the caller who has it now; its job goes on, and is found again."""
    location = ask(one_place, MUSIC, TRACK, redirects=0).headers["Location"].removeprefix("..")
    clock.shift(20)
    assert ask(one_place, MUSIC, ANOTHER, redirects=0).status == 303
    late = one_place.face("GET", location)
    assert (late.status, "finds this job and makes no second one" in late.json["error"]) == (429, True)
    one_place.deliver()
    assert (one_place.face("GET", location).status, ask(one_place, MUSIC, TRACK).status) == (200, 200)
    clock.shift(20)
    assert (ask(one_place, MUSIC, TRACK).status, model_server.generations) == (200, 2)


@pytest.mark.parametrize(
    "place", ["", "0", "0-", "0-0000000000000000", "999-0123456789abcdef", "../held#0", "٠-" + "0" * 16]
)
def test_a_forged_place_is_no_place(one_place: Product, clock: time_machine.Traveller, place: str) -> None:
    """No answer is held in the place of another."""
    job = one_place.submit({"prompt": "a calm cello"})
    assert ask(one_place, MUSIC, ANOTHER, redirects=0).status == 303
    assert one_place.face("GET", f"/waits/{job['id']}?hop=1&place={place}").status == 429


def test_without_an_answer_of_aws_about_places_no_answer_is_held(
    product: Product, clock: time_machine.Traveller
) -> None:
    """The caller is told within seconds."""
    began = time.time()
    with aws_answers(product.aws.dynamodb, "PutItem", AwsFault("InternalServerError", 500)):
        assert ask(product, MUSIC, TRACK).status == 429
    assert time.time() - began < 5


def test_a_chain_is_what_a_function_can_hold(product: Product, clock: time_machine.Traveller) -> None:
    """Where a submit took long, the first answer is held for the rest of the function's time."""
    began = time.time()
    assert product.face("POST", MUSIC, TRACK, seconds=9).status == 303
    assert time.time() - began == 7
