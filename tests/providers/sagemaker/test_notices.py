"""Notices of SageMaker: which ones name a generation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from longplay.domain.errors import ProviderError
from longplay.providers.protocol import Done
from longplay.providers.sagemaker.adapter import SageMaker

from local.stand_ins.sagemaker import SageMakerServer
from tests.harness.aws import BUCKET
from tests.providers.sagemaker.calls import ATTEMPT, MUSIC, Asked


@pytest.fixture
def notice(provider: SageMaker, sagemaker: SageMakerServer, asked: Asked) -> dict[str, Any]:
    """The SNS notice of a generation that has succeeded."""
    provider.submit(asked())
    sagemaker.finish(ATTEMPT)
    message: dict[str, Any] = json.loads(sagemaker.callback(ATTEMPT)["Records"][0]["Sns"]["Message"])
    return message


def test_a_notice_names_the_generation(provider: SageMaker, notice: dict[str, Any], asked: Asked) -> None:
    """The reference in a notice finds the result."""
    ref = provider.reference_in(json.dumps(notice).encode())
    assert ref is not None
    assert isinstance(provider.poll(ref, asked()), Done)


def test_a_notice_of_a_failure_names_the_generation(
    provider: SageMaker, sagemaker: SageMakerServer, asked: Asked
) -> None:
    """The reference in the notice of a failure finds the failure."""
    sagemaker.fault("out_of_memory")
    provider.submit(asked())
    sagemaker.finish(ATTEMPT)
    ref = provider.reference_in(sagemaker.callback(ATTEMPT)["Records"][0]["Sns"]["Message"].encode())
    assert ref is not None
    with pytest.raises(ProviderError, match="CUDA"):
        provider.poll(ref, asked())


@pytest.mark.parametrize(
    "location",
    [
        f"s3://{BUCKET}/gpu/{MUSIC}/another-attempt/x.out",
        f"s3://{BUCKET}/gpu/{MUSIC}/x{ATTEMPT}/x.out",
        f"s3://{BUCKET}/jobs/{ATTEMPT}/0",
        f"s3://another-bucket/gpu/{MUSIC}/{ATTEMPT}/x.out",
        f"https://example.com/gpu/{ATTEMPT}/x.out",
        "",
        None,
        7,
    ],
)
def test_a_notice_of_another_place_names_nothing(provider: SageMaker, notice: dict[str, Any], location: Any) -> None:
    """A notice with a place that is not the attempt's own names no generation."""
    forged = {**notice, "responseParameters": {"outputLocation": location}}
    assert provider.reference_in(json.dumps(forged).encode()) is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"inferenceId": 7}', b"\xff", b"[" * 100_000])
def test_an_unreadable_notice_names_nothing(provider: SageMaker, body: bytes) -> None:
    """A notice of another shape names no generation."""
    assert provider.reference_in(body) is None
