"""Fixtures for stories in which endpoints of SageMaker are the only servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import time_machine

from local.stand_ins.sagemaker import SageMakerServer
from tests.harness.aws import BUCKET, Aws
from tests.harness.product import Product
from tests.stories.sagemaker.helpers import ENDPOINTS, IMAGE_ENDPOINT, MUSIC_ENDPOINT


@pytest.fixture
def sagemaker(aws: Aws) -> Iterator[SageMakerServer]:
    """SageMaker's stand-in: an invocation runs when a test calls `finish`."""
    with SageMakerServer(aws.s3, bucket=BUCKET, endpoints=ENDPOINTS, quick=True) as server:
        yield server


@pytest.fixture
def product(product_with: Callable[..., Product], sagemaker: SageMakerServer, clock: time_machine.Traveller) -> Product:
    """The product with two endpoints of SageMaker as its only servers."""
    endpoints = {"musicgen-small": MUSIC_ENDPOINT, "stable-diffusion-v1-5": IMAGE_ENDPOINT}
    return product_with(servers={f"sagemaker-{name}": sagemaker.url_of(at) for name, at in endpoints.items()})
