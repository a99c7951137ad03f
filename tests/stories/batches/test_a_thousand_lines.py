"""A batch at its account's limit over a whole day, in simulated time.

`BATCH_LINES=1000 pytest tests/stories/batches/test_a_thousand_lines.py` takes as many lines as a batch may have, at 30
starts an hour, and some minutes; the tests take a tenth of both.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from local.stand_ins.model import ModelServer
from tests.harness.aws import REGION
from tests.harness.product import QUEUES, Product
from tests.stories.batches.sent import ENDED, cancel, counts, lines, read, results, send

LINES = int(os.environ.get("BATCH_LINES", "100"))
STARTS = LINES * 30 // 1_000  # an hour
HOUR = 3_600
SWEEPS = 900  # seconds between two runs of the sweeper, which would find nothing to do


class _Day:
    """The looks at a batch while time passes: when, and what it said."""

    def __init__(self, product: Product, clock: time_machine.Traveller, batch: dict[str, Any]) -> None:
        self.product, self.clock, self.batch = product, clock, batch
        self.looks: list[tuple[float, dict[str, Any]]] = []

    def pass_hours(self, hours: int) -> None:
        """Deliver each message when it is due, sweep, and look each hour, until the batch is over."""
        for _ in range(hours):
            self._pass(HOUR)
            self.batch = read(self.product, self.batch)
            self.looks.append((time.time(), self.batch))
            if self.batch["status"] in ENDED:
                return

    def _pass(self, seconds: float) -> None:
        until, sweep_at = time.time() + seconds, time.time() + SWEEPS
        while time.time() < until:
            while self.product.deliver():
                pass
            self.clock.move_to(min(until, sweep_at, max(_next_message(self.product), time.time() + 1)))
            if time.time() >= sweep_at:
                sweep_at += SWEEPS
                self.product.sweep()


def _next_message(product: Product) -> float:
    """When the next message can be delivered."""
    backends: Any = get_backend("sqs")
    queues = (
        backends[DEFAULT_ACCOUNT_ID][REGION].get_queue(product.aws.environment[name].rpartition("/")[2])
        for name in QUEUES
    )
    due = [message.delayed_until / 1_000 for queue in queues for message in queue._messages]
    return min(due, default=float("inf"))


@pytest.fixture
def day(product_with: Callable[..., Product], clock: time_machine.Traveller, haste: None) -> _Day:
    """A batch that has just been sent to an account whose limit it meets."""
    product = product_with(limits={"*": {"windows": [[STARTS, HOUR]]}}, cache="off")
    return _Day(product, clock, send(product, lines(LINES, max_charges=1)))


def test_a_batch_over_a_day(day: _Day, model_server: ModelServer, capsys: pytest.CaptureFixture[str]) -> None:
    """All lines end, none is refused, the window is kept, and what is not let in within a day expires uncharged."""
    began = time.time()
    day.pass_hours(28)
    over = counts(day.batch)
    assert (day.batch["status"], set(over), sum(over.values())) == ("ended", {"succeeded", "expired"}, LINES)
    assert over["succeeded"] >= 24 * STARTS
    starts = sorted(request.started_at for request in model_server.requests)
    assert len(starts) == over["succeeded"]
    assert all(later - earlier >= HOUR for earlier, later in zip(starts, starts[STARTS:], strict=False))
    price = day.batch["cost"]["charged_usd"] / over["succeeded"]
    assert day.batch["cost"]["possible_usd"] == pytest.approx(over["succeeded"] * price)
    ended_at = max(starts)
    waits = [(at, seen["wait"]) for at, seen in day.looks if "wait" in seen]
    errors = [abs(wait["eta_seconds"] - (ended_at - at)) for at, wait in waits]
    with capsys.disabled():
        print(f"\n{over}: the ETA is wrong by at most {max(errors):,.0f} s in {ended_at - began:,.0f} s")
    assert max(errors) < HOUR
    assert all(f"About {over['expired']:,} of the lines that wait will expire" in wait["basis"] for _, wait in waits)
    progress = [seen["counts"]["succeeded"] for _, seen in day.looks]
    assert progress == sorted(progress)
    assert [line["status"] for line in results(day.product, day.batch)].count("expired") == over["expired"]


def test_a_batch_that_is_canceled_after_some_hours(day: _Day, model_server: ModelServer) -> None:
    """The answer says what is spent; nothing is called after it, and the rest costs nothing."""
    day.pass_hours(3)
    before = len(model_server.requests)
    canceled = cancel(day.product, day.batch)
    price = canceled["cost"]["charged_usd"] / before
    assert canceled["cost"]["possible_usd"] <= (before + STARTS) * price
    day.pass_hours(2)
    ended = {"succeeded": before, "canceled": LINES - before}
    assert (day.batch["status"], counts(day.batch)) == ("canceled", ended)
    assert day.batch["cost"]["charged_usd"] == day.batch["cost"]["possible_usd"] == pytest.approx(before * price)
    assert len(model_server.requests) == before
