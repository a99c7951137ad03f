"""How tests call SageMaker's provider, and let what it queued run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from longplay.domain.errors import Charged, ProviderError
from longplay.providers.protocol import Accepted, Call, Done
from longplay.providers.sagemaker.adapter import SageMaker

from local.stand_ins.sagemaker import SageMakerServer
from tests.harness.aws import BUCKET, Aws

MUSIC, IMAGE = "longplay-musicgen-small", "longplay-stable-diffusion-v1-5"
MODELS = {MUSIC: "facebook/musicgen-small", IMAGE: "stable-diffusion-v1-5/stable-diffusion-v1-5"}
ATTEMPT = "abcdefghijklmnopqrstuvwxyz-3"
BILLED = {Charged.NO: (0,), Charged.UNKNOWN: (0, 1), Charged.YES: (1,)}

Asked = Callable[..., Call]


def settle(provider: SageMaker, sagemaker: SageMakerServer, call: Call) -> Done | Accepted:
    """Submit, let it run, and look for what came of it."""
    ref = provider.submit(call).ref
    sagemaker.finish(call.attempt)
    return provider.poll(ref, call)


def failure(provider: SageMaker, sagemaker: SageMakerServer, call: Call) -> ProviderError:
    """What submitting and looking raises."""
    with pytest.raises(ProviderError) as caught:
        settle(provider, sagemaker, call)
    return caught.value


def stored(aws: Aws, key: str) -> Any:
    """A JSON object in the bucket."""
    return json.loads(aws.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
