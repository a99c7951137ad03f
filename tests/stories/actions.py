"""Actions for stories with any provider: deliver messages, run the sweeper, kill a worker."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
import wiring
from longplay.engine.calls import Calls

from tests.harness.product import Product


def run(product: Product, clock: time_machine.Traveller, seconds: int) -> None:
    """Deliver messages every 5 seconds, for this many seconds."""
    for _ in range(seconds // 5):
        product.deliver()
        clock.shift(5)


def sweep_for(product: Product, clock: time_machine.Traveller, minutes: int) -> None:
    """Run the sweeper and deliver messages every 30 seconds, for this many minutes."""
    for _ in range(2 * minutes):
        product.sweep()
        product.deliver()
        clock.shift(30)


class Killed(BaseException):
    """Ends a worker in the middle of its work."""


def kill_after_submit(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliver a message to a worker that dies after the provider's answer and before it stores the answer."""
    worker = wiring.dependencies().worker
    with monkeypatch.context() as patch:
        patch.setattr(type(worker), "_store_ref", _kill)
        patch.setattr(type(worker.ledger.bucket), "store", _kill)
        with pytest.raises(Killed):
            product.deliver()


def _kill(*_: Any, **_more: Any) -> None:
    raise Killed


def kill_before_the_call(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliver a message to a worker that dies before it has called the provider."""
    with monkeypatch.context() as patch:
        patch.setattr(Calls, "submit", _kill)
        with pytest.raises(Killed):
            product.deliver()
