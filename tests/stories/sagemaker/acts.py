"""What a story about SageMaker does: time passes, a worker dies, a notice comes."""

from __future__ import annotations

from typing import Any

import notices
import pytest
import time_machine
import wiring

from tests.product import Context, Product

TRACK = {"prompt": "powerful guitar riffs with drums", "model": "musicgen-small", "duration": 2}
PICTURE = {"prompt": "a lighthouse", "model": "stable-diffusion-v1-5", "seed": 7}
MUSIC, IMAGE = "longplay-musicgen-small", "longplay-stable-diffusion-v1-5"
MODELS = {MUSIC: "facebook/musicgen-small", IMAGE: "stable-diffusion-v1-5/stable-diffusion-v1-5"}


def run(product: Product, clock: time_machine.Coordinates, seconds: int) -> None:
    """Let messages be delivered for so long."""
    for _ in range(seconds // 5):
        product.deliver()
        clock.shift(5)


def heal(product: Product, clock: time_machine.Coordinates, minutes: int) -> None:
    """Let the sweeper see to what is stuck for so long."""
    for _ in range(2 * minutes):
        product.sweep()
        product.deliver()
        clock.shift(30)


def notify(event: dict[str, Any]) -> None:
    """SNS hands its function a notice."""
    notices.handler(event, Context())  # type: ignore[arg-type]


def item(product: Product, job_id: str) -> dict[str, Any]:
    """A job as it lies in the table."""
    found: dict[str, Any] = product.aws.dynamodb.get_item(TableName="jobs", Key={"pk": {"S": f"job#{job_id}"}})["Item"]
    return found


class Killed(BaseException):
    """The worker is gone."""


def kill_after_submit(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that dies between the provider's answer and storing what it said."""
    worker = wiring.dependencies().worker
    with monkeypatch.context() as patch:
        patch.setattr(type(worker.jobs), "refer", _die)
        patch.setattr(type(worker.bucket), "store", _die)
        with pytest.raises(Killed):
            product.deliver()


def _die(*_: Any) -> None:
    raise Killed
