"""Concurrent callers and workers: separate copies of the functions' objects, on one emulated account."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Barrier
from typing import Any, TypeVar

import msgspec
import pytest
from longplay.domain.errors import Problem
from longplay.domain.job import Job
from longplay.domain.pacing import Line
from longplay.domain.request import parse_submission
from longplay.http.service import Service
from longplay.storage.cache import Entry
from wiring import Dependencies

from tests.harness.aws import Aws

T = TypeVar("T")

#: The types that are read from the table. msgspec 0.22 crashes if several threads are the first to use a type; on
#: Lambda a process has one thread.
SHAPES = (Job, Line, Entry)

#: The time at which a race takes place, so that no day ends and no message is repeated during it.
NOW = time.time()


@dataclass(frozen=True, kw_only=True)
class Racetrack:
    """An account on the emulator without deployed functions; `calls` names every call made to its table."""

    account: Aws
    monkeypatch: pytest.MonkeyPatch
    calls: list[str] = field(default_factory=list)

    def functions(self, count: int, **settings: Any) -> list[Dependencies]:
        """Several functions, each with its own clients and caches, as separate instances on Lambda have."""
        for name, value in {**self.account.environment, "SETTINGS": json.dumps(settings)}.items():
            self.monkeypatch.setenv(name, value)
        for shape in SHAPES:
            msgspec.json.Decoder(shape)
        functions = [Dependencies() for _ in range(count)]
        for function in functions:
            assert function.service
            assert function.worker
        return functions

    def services(self, count: int, **settings: Any) -> list[Service]:
        """The HTTP services of several functions, with their clocks stopped at NOW."""
        return [replace(function.service, clock=lambda: NOW) for function in self.functions(count, **settings)]

    def item(self, key: str) -> Any:
        """The item with this key in the table, or None."""
        answer = self.account.dynamodb.get_item(
            TableName=self.account.environment["TABLE_NAME"], Key={"pk": {"S": key}}, ConsistentRead=True
        )
        return answer.get("Item")

    def messages(self) -> int:
        """The number of messages in the queue, including delayed ones."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
        url = self.account.environment["CALLS_QUEUE_URL"]
        counts = self.account.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(counts[name]) for name in names)


def at_once(calls: Sequence[Callable[[], T]], *, abreast: int | None = None) -> list[T]:
    """The results of the calls, started together in groups of `abreast` (by default all at once)."""
    group = abreast or len(calls)
    start = Barrier(group)

    def make(call: Callable[[], T]) -> T:
        start.wait()
        return call()

    with ThreadPoolExecutor(group) as threads:
        return list(threads.map(make, calls))


def submit(service: Service, owner: str, *, key: str | None = None, **body: object) -> Job | Problem:
    """The job that a request creates, or the problem that refuses it."""
    longest = service.settings.longest_deadline
    try:
        submission = parse_submission(json.dumps(body).encode(), service.catalogue, longest_deadline=longest)
        return service.submit(owner, submission, key=key).job
    except Problem as problem:
        return problem
