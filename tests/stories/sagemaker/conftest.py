"""A GPU of one's own, as the only server there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import time_machine

from local.stand_ins.sagemaker import SageMakerServer
from tests.harness.aws import BUCKET, Aws
from tests.harness.product import Product
from tests.stories.sagemaker.helpers import IMAGE, MODELS, MUSIC


@pytest.fixture
def sagemaker(aws: Aws) -> Iterator[SageMakerServer]:
    """SageMaker's stand-in: what it queues runs when a test says so."""
    with SageMakerServer(aws.s3, bucket=BUCKET, endpoints=MODELS, quick=True) as server:
        yield server


@pytest.fixture
def product(product_with: Callable[..., Product], sagemaker: SageMakerServer, clock: time_machine.Traveller) -> Product:
    """The product with its own endpoints as its only servers."""
    urls = {"musicgen-small": MUSIC, "stable-diffusion-v1-5": IMAGE}
    return product_with(servers={f"sagemaker-{name}": sagemaker.url_of(urls[name]) for name in urls})
