"""Calls to SageMaker's provider, and the steps of a queued generation."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from longplay.domain.errors import ProviderError
from longplay.providers.protocol import Accepted, Call, Done
from longplay.providers.sagemaker.adapter import SageMaker

from local.stand_ins.sagemaker import SageMakerServer
from tests.harness.aws import BUCKET, Aws
from tests.providers.failures import raised

MUSIC, IMAGE = "longplay-musicgen-small", "longplay-stable-diffusion-v1-5"
MODELS = {MUSIC: "facebook/musicgen-small", IMAGE: "stable-diffusion-v1-5/stable-diffusion-v1-5"}
ATTEMPT = "abcdefghijklmnopqrstuvwxyz-3"

Asked = Callable[..., Call]


def settle(provider: SageMaker, sagemaker: SageMakerServer, call: Call) -> Done | Accepted:
    """Submit, let the endpoint run it, and poll once."""
    ref = provider.submit(call).ref
    sagemaker.finish(call.attempt)
    return provider.poll(ref, call)


def failure(provider: SageMaker, sagemaker: SageMakerServer, call: Call) -> ProviderError:
    """The failure that submitting or polling raises."""
    return raised(settle, provider, sagemaker, call)


def stored(aws: Aws, key: str) -> Any:
    """A JSON object in the bucket."""
    return json.loads(aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
