"""The AWS calls of a job, by name and in order, in warm containers (see `benchmarks/calls.py`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from benchmarks.calls import CASES, calls_of, show_calls
from tests.harness.aws_calls import AwsCall
from tests.harness.product import Product

Counted = Callable[[str], Sequence[AwsCall]]
PLAIN_JOB = ["PutItem", "SendMessage", "UpdateItem", "PutObject", "TransactWriteItems", "GetItem"]


@pytest.fixture
def counted(product_with: Callable[..., Product]) -> Counted:
    """Returns the calls of a case, and prints them; `pytest -rP` shows the lists."""

    def count(case: str) -> Sequence[AwsCall]:
        settings, request = CASES[case]
        calls = calls_of(product_with(**settings), request)
        show_calls(case, calls)
        return calls

    return count


def test_a_plain_job_costs_six_calls(counted: Counted) -> None:
    """Create the item, send the message, claim, store the file, end and count, and one read by the caller."""
    calls = counted("plain")
    assert [call.name for call in calls] == PLAIN_JOB
    assert (sorted(_written(calls)), _read(calls)) == (["job", "job", "job", "timing", "usage"], ["job"])


def test_pacing_adds_one_write_and_one_read(counted: Counted) -> None:
    """The slot is written in the transaction that creates the job, and the worker reads the account's slots once."""
    calls = counted("paced")
    assert [call.name for call in calls] == ["TransactWriteItems", *PLAIN_JOB[1:3], "GetItem", *PLAIN_JOB[3:]]
    assert sorted(_written(calls)) == ["job", "job", "job", "limit", "timing", "usage"]
    assert sorted(_read(calls)) == ["job", "limit"]


def test_a_cache_that_misses_adds_one_read(counted: Counted) -> None:
    """The cache entry is written in the transactions that create and end the job. Its followers are read at the end."""
    calls = counted("cache missed")
    ends = ["GetItem", "TransactWriteItems", *PLAIN_JOB[5:]]
    assert [call.name for call in calls] == ["TransactWriteItems", *PLAIN_JOB[1:4], *ends]


def test_a_cache_hit_sends_no_message_and_copies_one_file(counted: Counted) -> None:
    """A refused transaction returns the cache entry, the file is copied, and the job is created as succeeded."""
    names = [call.name for call in counted("cache hit")]
    assert names == ["TransactWriteItems", "CopyObject", "TransactWriteItems"]


def _written(calls: Sequence[AwsCall]) -> list[str]:
    return [kind for call in calls for kind in call.written]


def _read(calls: Sequence[AwsCall]) -> list[str]:
    return [kind for call in calls for kind in call.read]
