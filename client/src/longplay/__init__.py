"""Longplay's client: music, images and video from a prompt, by a deployment of Longplay."""

from longplay.client import Longplay
from longplay.documents import Batch, BatchLine, Job, Model, Output
from longplay.errors import (
    DownloadFailed,
    JobFailed,
    KeyRefused,
    LongplayError,
    NoKey,
    Refused,
    StillWaiting,
    Unreachable,
)
from longplay.webhooks import WebhookRefused, verify_webhook

__all__ = [
    "Batch",
    "BatchLine",
    "DownloadFailed",
    "Job",
    "JobFailed",
    "KeyRefused",
    "Longplay",
    "LongplayError",
    "Model",
    "NoKey",
    "Output",
    "Refused",
    "StillWaiting",
    "Unreachable",
    "WebhookRefused",
    "verify_webhook",
]
