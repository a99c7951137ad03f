"""What happens in a story, whoever plays the provider: time passes, the sweeper comes by, a worker dies."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
import wiring

from tests.harness.product import Product


def run(product: Product, clock: time_machine.Traveller, seconds: int) -> None:
    """Let messages be delivered for so long."""
    for _ in range(seconds // 5):
        product.deliver()
        clock.shift(5)


def heal(product: Product, clock: time_machine.Traveller, minutes: int) -> None:
    """Let the sweeper see to what is stuck for so long."""
    for _ in range(2 * minutes):
        product.sweep()
        product.deliver()
        clock.shift(30)


class Killed(BaseException):
    """The worker is gone."""


def kill_after_submit(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that dies between the provider's answer and storing what it said."""
    worker = wiring.dependencies().worker
    with monkeypatch.context() as patch:
        patch.setattr(type(worker), "_store_ref", _die)
        patch.setattr(type(worker.ledger.bucket), "store", _die)
        with pytest.raises(Killed):
            product.deliver()


def _die(*_: Any) -> None:
    raise Killed
