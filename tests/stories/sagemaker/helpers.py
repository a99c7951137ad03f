"""What a story about SageMaker asks for and does: a notice comes, a job is looked up in the table."""

from __future__ import annotations

from typing import Any

import notices

from tests.harness.product import Context, Product

TRACK = {"prompt": "powerful guitar riffs with drums", "model": "musicgen-small", "duration": 2}
PICTURE = {"prompt": "a lighthouse", "model": "stable-diffusion-v1-5", "seed": 7}
MUSIC, IMAGE = "longplay-musicgen-small", "longplay-stable-diffusion-v1-5"
MODELS = {MUSIC: "facebook/musicgen-small", IMAGE: "stable-diffusion-v1-5/stable-diffusion-v1-5"}


def notify(event: dict[str, Any]) -> None:
    """SNS hands its function a notice."""
    notices.handler(event, Context())  # type: ignore[arg-type]


def item(product: Product, job_id: str) -> dict[str, Any]:
    """A job as it lies in the table."""
    found: dict[str, Any] = product.aws.dynamodb.get_item(TableName="jobs", Key={"pk": {"S": f"job#{job_id}"}})["Item"]
    return found
