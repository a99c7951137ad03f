"""A foreign id cannot be told from an unknown one: not by the answer, and not by what is done for it."""

from __future__ import annotations

import pytest
import wiring

from tests.harness.aws_calls import AwsCall, recorded_calls
from tests.harness.product import Answer, Product
from tests.stories.batches.sent import lines, send

BOB = "lp_bob_0123456789abcdef"
UNKNOWN = "a" * 26
OF_JOBS = [
    ("GET", "/jobs/{id}"),
    ("DELETE", "/jobs/{id}"),
    ("GET", "/jobs/{id}/outputs/0"),
    ("GET", "/jobs/{id}/outputs/0/peaks"),
    ("POST", "/jobs/{id}/cancel"),
    ("POST", "/jobs/{id}/retry"),
    ("GET", "/jobs/{id}/deliveries"),
    ("POST", "/jobs/{id}/redeliver"),
    ("GET", "/files/{id}/0123456789abcdefghijkl/0"),
]
OF_BATCHES = [("GET", "/batches/{id}"), ("GET", "/batches/{id}/results"), ("POST", "/batches/{id}/cancel")]


def _asked(product: Product, method: str, path: str) -> tuple[Answer, list[AwsCall]]:
    """The answer to bob, and the calls to AWS that were made for it."""
    with recorded_calls() as calls:
        wiring.dependencies.cache_clear()
        return product.send(method, path, "", None, {"x-api-key": BOB}), list(calls)


@pytest.mark.parametrize(("method", "path"), [*OF_JOBS, *OF_BATCHES])
def test_a_foreign_id_is_answered_as_an_unknown_one(product: Product, method: str, path: str) -> None:
    """The same status, headers and body, after the same calls to AWS: so it takes as long."""
    job = product.submit({"prompt": "mine", "duration": 1, "webhook": "https://example.com/hook"})["id"]
    product.deliver()
    mine = send(product, lines(1))["id"] if (method, path) in OF_BATCHES else job
    foreign, calls = _asked(product, method, path.replace("{id}", mine))
    unknown, same = _asked(product, method, path.replace("{id}", UNKNOWN))
    assert foreign == unknown
    assert foreign.status == 404
    assert calls == same
