"""What is believed of a notice: where the answer of this very attempt lies."""

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


class TestANotice:
    @pytest.fixture
    def notice(self, provider: SageMaker, sagemaker: SageMakerServer, asked: Asked) -> dict[str, Any]:
        """What SNS says of a generation that has succeeded."""
        provider.submit(asked())
        sagemaker.finish(ATTEMPT)
        message: dict[str, Any] = json.loads(sagemaker.callback(ATTEMPT)["Records"][0]["Sns"]["Message"])
        return message

    def test_is_enough_to_find_the_answer(self, provider: SageMaker, notice: dict[str, Any], asked: Asked) -> None:
        ref = provider.reference_in(json.dumps(notice).encode())
        assert ref is not None
        assert isinstance(provider.poll(ref, asked()), Done)

    def test_of_a_failure_is_enough_to_learn_it(
        self, provider: SageMaker, sagemaker: SageMakerServer, asked: Asked
    ) -> None:
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
    def test_is_not_believed_about_an_answer_that_is_not_the_attempts_own(
        self, provider: SageMaker, notice: dict[str, Any], location: Any
    ) -> None:
        forged = {**notice, "responseParameters": {"outputLocation": location}}
        assert provider.reference_in(json.dumps(forged).encode()) is None

    @pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"inferenceId": 7}', b"\xff", b"[" * 100_000])
    def test_of_any_other_shape_is_none(self, provider: SageMaker, body: bytes) -> None:
        assert provider.reference_in(body) is None
