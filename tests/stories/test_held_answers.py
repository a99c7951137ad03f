"""A caller that would rather wait than poll: its answer is held until the job is over, while few others are."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import pytest
import time_machine
from longplay.http.holding import LONGEST

from tests.harness.aws_faults import AwsFault, aws_answers
from tests.harness.product import Answer, Product

TRACK = {"prompt": "a calm cello", "duration": 1}


def _timed(ask: Callable[[], Answer]) -> tuple[Answer, float]:
    began = time.time()
    return ask(), round(time.time() - began, 3)


@pytest.mark.parametrize("query", ["", "?wait=0"])
def test_without_a_wait_the_answer_comes_at_once(product: Product, clock: time_machine.Traveller, query: str) -> None:
    """A caller waits only if it asks to."""
    job = product.submit(TRACK)
    answer, seconds = _timed(lambda: product.get(f"/jobs/{job['id']}{query}"))
    assert (answer.json["status"], seconds) == ("queued", 0)


@pytest.mark.parametrize("prefer", ["wait=10", "respond-async, wait=10", 'WAIT = "10"', "return=minimal; wait=10"])
def test_a_submit_is_answered_with_the_finished_job(
    product: Product, at: Callable[[float, Callable[[], object]], None], prefer: str
) -> None:
    """200 and the file within a second of its end, for any spelling of the preference."""
    at(3, product.deliver)
    answer, seconds = _timed(lambda: product.post("/generate", TRACK, Prefer=prefer))
    assert (answer.status, answer.json["status"], seconds) == (200, "succeeded", 3)
    assert answer.json["outputs"][0]["url"]


def test_a_read_is_answered_when_the_job_is_canceled(
    product: Product, at: Callable[[float, Callable[[], object]], None]
) -> None:
    """Every end of the job ends the wait."""
    job = product.submit(TRACK)
    at(5, lambda: product.post(f"/jobs/{job['id']}/cancel"))
    answer, seconds = _timed(lambda: product.get(f"/jobs/{job['id']}?wait=20"))
    assert (answer.status, answer.json["status"], seconds) == (200, "canceled", 5)


def test_a_job_deleted_during_the_wait_is_gone(
    product: Product, at: Callable[[float, Callable[[], object]], None]
) -> None:
    """410, as for every job that was deleted."""
    job = product.submit(TRACK)
    at(2, lambda: (product.post(f"/jobs/{job['id']}/cancel"), product.delete(f"/jobs/{job['id']}")))
    assert product.get(f"/jobs/{job['id']}?wait=20").status == 410


def test_a_job_that_takes_longer_is_shown_as_it_stands(product: Product, clock: time_machine.Traveller) -> None:
    """After the time that was asked for, the answer is that of a poll: 202 or 200, a reason, an ETA and Retry-After."""
    answer, seconds = _timed(lambda: product.post("/generate", TRACK, Prefer="wait=7"))
    assert (answer.status, answer.json["status"], seconds) == (202, "queued", 7)
    assert answer.json["wait"]["eta_seconds"] > 0
    assert int(answer.headers["Retry-After"]) >= 1
    answer, seconds = _timed(lambda: product.get(f"/jobs/{answer.json['id']}?wait=9"))
    assert (answer.status, answer.json["status"], seconds) == (200, "queued", 9)


def test_a_preference_is_cut_and_a_query_is_refused(product: Product, clock: time_machine.Traveller) -> None:
    """A preference may be met in part (RFC 7240); a query that cannot be met is refused, and creates nothing."""
    answer, seconds = _timed(lambda: product.post("/generate", TRACK, Prefer="wait=600"))
    assert (answer.status, seconds) == (202, LONGEST)
    for wrong in ("25", "-1", "1.5", "ten", "", "٣"):
        for refused in (
            product.get(f"/jobs/{answer.json['id']}?wait={wrong}"),
            product.post(f"/generate?wait={wrong}", TRACK),
        ):
            assert (refused.status, refused.json["field"]) == (400, "wait")
    assert len(product.get("/jobs").json["jobs"]) == 1


def test_the_function_keeps_time_for_its_answer(product: Product, clock: time_machine.Traveller) -> None:
    """With 10 s left for the function, the answer comes within 8."""
    job = product.submit(TRACK)
    _, seconds = _timed(lambda: product.get(f"/jobs/{job['id']}?wait=20", seconds=10))
    assert seconds == 8


def test_no_caller_waits_for_a_job_that_starts_later(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """A job whose slot is 60 s away is answered at once: a wait of 20 s could not end well."""
    product = product_with(limits={"*": {"windows": [[1, 60]]}})
    first = product.post("/generate", TRACK)
    answer, seconds = _timed(lambda: product.post("/generate", {**TRACK, "fresh": True}, Prefer="wait=20"))
    assert (first.status, answer.status, seconds) == (202, 202, 0)


def test_few_answers_are_held_at_once(product: Product, at: Callable[[float, Callable[[], object]], None]) -> None:
    """Of five callers that wait at once, three are held and two are answered at once; later there is room again."""
    job, waits = product.submit(TRACK), list[float]()

    def one_more() -> None:
        _, seconds = _timed(lambda: product.get(f"/jobs/{job['id']}?wait=20"))
        waits.append(seconds)

    for second in range(1, 5):
        at(second, one_more)
    one_more()
    assert sorted(waits) == [0, 0, 20, 21, 22]  # here the first two go on only when the third is done
    waits.clear()
    one_more()
    assert waits == [20]


def test_no_answer_is_held_where_the_operator_says_so(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """With `held_answers` 0, every answer comes at once."""
    product = product_with(held_answers=0)
    answer, seconds = _timed(lambda: product.post("/generate", TRACK, Prefer="wait=20"))
    assert (answer.status, seconds) == (202, 0)


def test_a_function_that_died_has_its_place_no_longer_than_its_wait(
    product_with: Callable[..., Product], clock: time_machine.Traveller
) -> None:
    """A place that is not given back is free again two seconds after the wait."""
    product = product_with(held_answers=1)
    job = product.submit(TRACK)
    ask = partial(product.get, f"/jobs/{job['id']}?wait=5")
    with aws_answers(product.aws.dynamodb, "UpdateItem", AwsFault("AccessDeniedException")):
        ask()
    assert _timed(ask)[1] == 0
    clock.shift(2)
    assert _timed(ask)[1] == 5


def test_an_error_of_aws_ends_the_wait_and_not_the_job(
    product: Product, at: Callable[[float, Callable[[], object]], None]
) -> None:
    """The caller of a submit gets its job's id even if the table answers no more, so it can poll."""
    with ExitStack() as stack:
        at(3, lambda: stack.enter_context(aws_answers(product.aws.dynamodb, "GetItem", _throttled())))
        answer, seconds = _timed(lambda: product.post("/generate", TRACK, Prefer="wait=20"))
    assert (answer.status, answer.json["status"]) == (202, "queued")
    assert 3 <= seconds < 10


@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem"])
def test_a_place_that_aws_does_not_give_costs_the_wait_alone(
    product: Product, clock: time_machine.Traveller, operation: str
) -> None:
    """Whether a place is not given or not taken back, the job is shown as it stands."""
    job = product.submit(TRACK)
    with aws_answers(product.aws.dynamodb, operation, _throttled()):
        answer, seconds = _timed(lambda: product.get(f"/jobs/{job['id']}?wait=5"))
    assert (answer.status, answer.json["status"]) == (200, "queued")
    assert seconds < 7


def _throttled() -> AwsFault:
    return AwsFault("ThrottlingException")
