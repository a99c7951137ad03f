"""Assertions about jobs at a Space, for the stand-in and for the real Gradio server."""

from __future__ import annotations

from typing import Any

import time_machine

from tests.harness.product import Product
from tests.stories.actions import run


def outcomes(product: Product, job: dict[str, Any]) -> list[tuple[str, str]]:
    """The outcome and the charge of each attempt of a job."""
    return [(attempt["outcome"], attempt["charged"]) for attempt in product.job(job["id"])["attempts"]]


def waits_for_the_quota(product: Product, job: dict[str, Any], clock: time_machine.Traveller) -> None:
    """Assert that the job waits for the 0:12:34 that the Space names, and is then served without a charge."""
    run(product, clock, 10)
    waiting = product.job(job["id"])
    assert waiting["wait"]["reason"] == "provider_quota"
    assert 730 < waiting["wait"]["eta_seconds"] < 860
    clock.shift(754)
    run(product, clock, 20)
    assert outcomes(product, job) == [("throttled", "no"), ("succeeded", "no")]
