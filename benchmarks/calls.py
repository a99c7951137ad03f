"""AWS calls of our code for one job's whole life: submitted, generated, read once; counted on the real entry points."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import wiring
from moto import mock_aws
from moto.core.config import DefaultConfig

from local.stand_ins.model import ModelServer
from tests.harness.aws import ACCOUNT, make_account
from tests.harness.aws_calls import AwsCall, recorded_calls
from tests.harness.product import Product

EARLIER = {"prompt": "upbeat techno with heavy bass", "duration": 2}
ANOTHER = {"prompt": "a slow waltz", "duration": 2}
PLAIN, PACED = {"cache": "off"}, {"cache": "off", "limits": {"*": {"windows": [[100, 60]]}}}
CACHED = {"cache": "owner"}

#: By name: the settings, and the request; what an earlier job asked for is in the cache.
CASES: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "plain": (PLAIN, ANOTHER),
    "paced": (PACED, ANOTHER),
    "cache missed": (CACHED, ANOTHER),
    "cache hit": (CACHED, EARLIER),
}
LOOPBACK_IS_REAL: DefaultConfig = {"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1:.*"], "services": []}}}
WARM = (
    "The containers are warm: an earlier job has read what a container reads once in 30 s (the kill switch's item)",
    "and once in 5 minutes (the week's timings, the provider's token). SQS's own receive and delete are not ours.",
)


def main() -> None:
    """Print the calls of each case, in order."""
    for name, calls in map(_measured, CASES):
        show_calls(name, calls)
    print("\n" + "\n".join(f"  {line}" for line in WARM))


def calls_of(product: Product, request: Mapping[str, Any]) -> Sequence[AwsCall]:
    """The calls of a job that asks for this, in containers that an earlier job has warmed."""
    with recorded_calls() as calls:
        wiring.dependencies.cache_clear()
        _live(product, EARLIER)
        calls.clear()
        _live(product, request)
        return tuple(calls)


def show_calls(case: str, calls: Sequence[AwsCall]) -> None:
    """The list, and its sums."""
    written, read = (sum(len(getattr(call, kind)) for call in calls) for kind in ("written", "read"))
    print(f"\n{case}: {len(calls)} calls, {written} items written, {read} read")
    print("\n".join(f"  {n}. {call}" for n, call in enumerate(calls, 1)))


def _live(product: Product, request: Mapping[str, Any]) -> None:
    """One job from its submission to its result; a hit has it in its first answer."""
    answer = product.post("/generate", dict(request))
    if answer.status == 202:
        product.deliver()
        assert product.job(answer.json["id"])["status"] == "succeeded"
    else:
        assert (answer.status, answer.json["status"]) == (200, "succeeded")


def _measured(case: str) -> tuple[str, Sequence[AwsCall]]:
    settings, request = CASES[case]
    with _product(settings) as product:
        return case, calls_of(product, request)


@contextmanager
def _product(settings: Mapping[str, Any]) -> Iterator[Product]:
    os.environ.update(ACCOUNT)
    with ModelServer(quick=True) as server, mock_aws(config=LOOPBACK_IS_REAL):
        aws = make_account(servers={"*": f"{server.url}/models/{{model}}"}, **settings)
        os.environ.update(aws.environment)
        yield Product(aws)


if __name__ == "__main__":
    main()
