"""What a job costs in calls to AWS, by name and in order; the containers are warm (see `benchmarks/calls.py`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from benchmarks.calls import CASES, calls_of, show_calls
from tests.harness.aws_calls import AwsCall
from tests.harness.product import Product

Counted = Callable[[str], Sequence[AwsCall]]
LIFE = ["PutItem", "SendMessage", "UpdateItem", "PutObject", "UpdateItem", "GetItem"]


@pytest.fixture
def counted(product_with: Callable[..., Product]) -> Counted:
    """The calls of a case, printed too: `pytest -rP` shows the lists."""

    def count(case: str) -> Sequence[AwsCall]:
        settings, request = CASES[case]
        calls = calls_of(product_with(**settings), request)
        show_calls(case, calls)
        return calls

    return count


def test_a_plain_job_costs_six_calls(counted: Counted) -> None:
    """Its item, its message, the claim, the file, the end, and one look at it."""
    calls = counted("plain")
    assert [call.name for call in calls] == LIFE
    assert (_written(calls), _read(calls)) == (["job"] * 3, ["job"])


def test_pacing_adds_one_write_and_one_read(counted: Counted) -> None:
    """The slot rides the transaction that creates the job; the worker reads the line once."""
    calls = counted("paced")
    assert [call.name for call in calls] == ["TransactWriteItems", *LIFE[1:3], "GetItem", *LIFE[3:]]
    assert sorted(_written(calls)) == ["job", "job", "job", "limit"]
    assert sorted(_read(calls)) == ["job", "limit"]


def test_a_cache_that_misses_adds_no_call(counted: Counted) -> None:
    """The claim of the answer, and the answer, ride the writes that create and end the job."""
    calls = counted("cache missed")
    transactions = {0: "TransactWriteItems", 4: "TransactWriteItems"}
    assert [call.name for call in calls] == [transactions.get(n, name) for n, name in enumerate(LIFE)]


def test_a_cache_hit_sends_no_message_and_copies_one_file(counted: Counted) -> None:
    """It is answered 200 `succeeded` at once."""
    names = [call.name for call in counted("cache hit")]
    assert names == ["TransactWriteItems", "CopyObject", "PutItem"]


def _written(calls: Sequence[AwsCall]) -> list[str]:
    return [kind for call in calls for kind in call.written]


def _read(calls: Sequence[AwsCall]) -> list[str]:
    return [kind for call in calls for kind in call.read]
