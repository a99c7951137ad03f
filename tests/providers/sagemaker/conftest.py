"""SageMaker's provider and its stand-in, on one bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from longplay.providers.protocol import Call
from longplay.providers.sagemaker.adapter import SageMaker
from longplay.providers.sagemaker.payloads import Payloads

from local.stand_ins.sagemaker import SageMakerServer
from tests.harness.aws import BUCKET, Aws
from tests.providers.calls import make_call
from tests.providers.sagemaker.calls import ATTEMPT, MODELS, MUSIC, Asked


@pytest.fixture
def sagemaker(aws: Aws) -> Iterator[SageMakerServer]:
    """The stand-in, with an endpoint for music and one for images."""
    with SageMakerServer(aws.s3, bucket=BUCKET, endpoints=MODELS, quick=True) as server:
        yield server


@pytest.fixture
def provider(aws: Aws) -> SageMaker:
    """The provider, on the same bucket."""
    return SageMaker(Payloads(lambda: aws.s3, BUCKET))


@pytest.fixture
def asked(sagemaker: SageMakerServer, tmp_path: Path) -> Asked:
    """Makes a call, for music unless it names another endpoint."""

    def make(endpoint: str = MUSIC, **fields: Any) -> Call:
        kind = "music" if endpoint == MUSIC else "image"
        route = {"kind": kind, "model": MODELS[endpoint], "url": sagemaker.url_of(endpoint), "attempt": ATTEMPT}
        return make_call(tmp_path, **{**route, **fields})

    return make
