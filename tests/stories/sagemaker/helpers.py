"""Requests, endpoints and actions that the stories about SageMaker share."""

from __future__ import annotations

from typing import Any

import notices

from tests.harness.product import Context, Product

TRACK = {"prompt": "powerful guitar riffs with drums", "model": "musicgen-small", "duration": 2}
IMAGE = {"prompt": "a lighthouse", "model": "stable-diffusion-v1-5", "seed": 7}
MUSIC_ENDPOINT, IMAGE_ENDPOINT = "longplay-musicgen-small", "longplay-stable-diffusion-v1-5"
ENDPOINTS = {MUSIC_ENDPOINT: "facebook/musicgen-small", IMAGE_ENDPOINT: "stable-diffusion-v1-5/stable-diffusion-v1-5"}


def notify(event: dict[str, Any]) -> None:
    """Invoke the function for notices, as SNS does."""
    notices.handler(event, Context())  # type: ignore[arg-type]


def item(product: Product, job_id: str) -> dict[str, Any]:
    """The item of a job in the table."""
    found: dict[str, Any] = product.aws.dynamodb.get_item(TableName="jobs", Key={"pk": {"S": f"job#{job_id}"}})["Item"]
    return found
