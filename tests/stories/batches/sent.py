"""Sends batches, reads them and their results, and delivers messages until they are over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import msgspec
import time_machine
from longplay.http.batches import documents

from tests.harness.product import API_KEY, Answer, Product

LINE = {"model": "musicgen-small", "duration": 1}
ENDED = ("ended", "canceled")


def lines(count: int, **more: Any) -> list[dict[str, Any]]:
    """So many lines, each with its own prompt."""
    return [{"prompt": f"a calm cello, take {number}", **LINE, **more} for number in range(count)]


def jsonl(some: Iterable[object]) -> str:
    """The lines as JSONL."""
    return "".join(f"{json.dumps(line)}\n" for line in some)


def send(product: Product, body: Any, query: str = "", **headers: str) -> dict[str, Any]:
    """The batch of a body that must be taken."""
    answer = product.post(f"/batches{query}", body, **headers)
    assert answer.status == HTTPStatus.ACCEPTED, answer.body
    return shown(answer)


def read(product: Product, batch: dict[str, Any], *, key: str = API_KEY) -> dict[str, Any]:
    """The batch as it stands."""
    answer = product.get(f"/batches/{batch['id']}", key=key)
    assert answer.status == HTTPStatus.OK, answer.body
    return shown(answer)


def cancel(product: Product, batch: dict[str, Any]) -> dict[str, Any]:
    """The batch after its cancellation."""
    answer = product.post(f"/batches/{batch['id']}/cancel")
    assert answer.status == HTTPStatus.ACCEPTED, answer.body
    return shown(answer)


def results(product: Product, batch: dict[str, Any]) -> list[dict[str, Any]]:
    """All lines of the results, as a caller finds them who follows each link."""
    path, found = f"/batches/{batch['id']}/results", list[dict[str, Any]]()
    while path:
        answer = product.get(path)
        assert answer.status == HTTPStatus.OK, answer.body
        found += [msgspec.to_builtins(_line(line)) for line in answer.body.splitlines()]
        link = answer.headers.get("Link", "")
        path = f"/batches/{batch['id']}/{link.partition('>')[0].removeprefix('<')}" if link else ""
    return found


def counts(batch: dict[str, Any]) -> dict[str, int]:
    """The counts of a batch that are not 0."""
    return {status: count for status, count in batch["counts"].items() if count}


def until_over(
    product: Product,
    clock: time_machine.Traveller,
    batch: dict[str, Any],
    *,
    step: float = 1.0,
    most: int = 500,
    each: Callable[[dict[str, Any]], object] = lambda _: None,
) -> dict[str, Any]:
    """The batch when it is over; messages are delivered every `step` seconds."""
    for _ in range(most):
        product.deliver()
        batch = read(product, batch)
        each(batch)
        if batch["status"] in ENDED:
            return batch
        clock.shift(step)
    raise AssertionError(f"not over: {batch}")


def shown(answer: Answer) -> dict[str, Any]:
    """The batch in an answer; asserts that the document is of its type."""
    msgspec.json.decode(answer.body, type=documents.Batch)
    return dict(answer.json)


def _line(text: str) -> documents.BatchLine:
    return msgspec.json.decode(text, type=documents.BatchLine)
