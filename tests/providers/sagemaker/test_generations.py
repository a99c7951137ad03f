"""What SageMaker is asked for, and how the answer is found."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import boto3
import botocore
import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.protocol import Accepted, Done, PolledProvider
from longplay.providers.references import SAFETY_NET
from longplay.providers.sagemaker.adapter import SageMaker
from longplay.providers.sagemaker.payloads import Payloads
from longplay.providers.sagemaker.runtime import Runtime

from local.stand_ins.sagemaker import SageMakerServer
from tests.harness.aws import BUCKET, Aws
from tests.providers.sagemaker.calls import ATTEMPT, IMAGE, MUSIC, Asked, failure, settle, stored


class TestAGeneration:
    @pytest.mark.parametrize(("endpoint", "content_type"), [(MUSIC, "audio/wav"), (IMAGE, "image/png")])
    def test_of_each_kind_is_queued_and_then_found(
        self, provider: SageMaker, sagemaker: SageMakerServer, asked: Asked, endpoint: str, content_type: str
    ) -> None:
        done = settle(provider, sagemaker, asked(endpoint))
        assert isinstance(done, Done)
        assert [file.content_type for file in done.files] == [content_type]
        assert (done.request_id, sagemaker.generations) == (ATTEMPT, 1)

    def test_is_looked_for_until_it_has_run(self, provider: SageMaker, asked: Asked) -> None:
        accepted = provider.submit(asked())
        assert provider.poll(accepted.ref, asked()) == accepted
        assert (accepted.poll_after, accepted.request_id) == (SAFETY_NET, ATTEMPT)

    def test_has_the_attempts_name_and_leaves_its_request_where_its_job_is_erased(
        self, provider: SageMaker, sagemaker: SageMakerServer, asked: Asked
    ) -> None:
        provider.submit(asked())
        [queued] = sagemaker.invocations
        assert queued.inference_id == ATTEMPT
        assert queued.input == f"s3://{BUCKET}/inputs/abcdefghijklmnopqrstuvwxyz/gpu-3"

    def test_asks_the_container_as_its_toolkit_reads_it(
        self, provider: SageMaker, sagemaker: SageMakerServer, asked: Asked, aws: Aws
    ) -> None:
        """Generation arguments nested, the answer as JSON: the toolkit's encoder knows no sound and no image."""
        provider.submit(asked(parameters={"duration": 8, "guidance_scale": 3.0}))
        [queued] = sagemaker.invocations
        assert queued.accept == "application/json"
        assert stored(aws, queued.input.removeprefix(f"s3://{BUCKET}/")) == {
            "inputs": "slow jazz",
            "parameters": {"generate_kwargs": {"do_sample": True, "guidance_scale": 3.0, "max_new_tokens": 400}},
        }

    def test_sends_no_seed_for_the_pipeline_would_refuse_it(
        self, provider: SageMaker, sagemaker: SageMakerServer, asked: Asked, aws: Aws
    ) -> None:
        done = settle(provider, sagemaker, asked(IMAGE, parameters={"seed": 7, "width": 512, "height": 512}))
        assert isinstance(done, Done)
        key = sagemaker.invocations[0].input.removeprefix(f"s3://{BUCKET}/")
        assert stored(aws, key)["parameters"] == {"width": 512, "height": 512}

    @pytest.mark.parametrize(
        ("ends_within", "ttl", "timeout"), [(900.0, 900, 900), (5.5, 60, 5), (0.2, 60, 1), (86_400.0, 21_600, 3_600)]
    )
    def test_waits_and_runs_no_longer_than_anybody_waits_for_it(
        self,
        provider: SageMaker,
        sagemaker: SageMakerServer,
        asked: Asked,
        ends_within: float,
        ttl: int,
        timeout: int,
    ) -> None:
        provider.submit(asked(ends_within=ends_within))
        [queued] = sagemaker.invocations
        assert (queued.ttl, queued.timeout) == (ttl, timeout)

    def test_is_said_to_have_expired_once_no_answer_can_come(
        self, aws: Aws, sagemaker: SageMakerServer, asked: Asked
    ) -> None:
        late = 0.0
        provider = SageMaker(Payloads(lambda: aws.s3, BUCKET), clock=lambda: time.time() + late)
        sagemaker.fault("expired")
        ref = provider.submit(asked(ends_within=100)).ref
        sagemaker.finish(ATTEMPT)
        late = 200.0
        assert isinstance(provider.poll(ref, asked()), Accepted)
        late = 300.0
        with pytest.raises(ProviderError, match="expired") as caught:
            provider.poll(ref, asked())
        assert (caught.value.kind, caught.value.charged) == (FailureKind.UPSTREAM, Charged.UNKNOWN)

    def test_of_video_is_refused_before_anything_is_sent(
        self, provider: SageMaker, sagemaker: SageMakerServer, asked: Asked
    ) -> None:
        error = failure(provider, sagemaker, asked(kind="video"))
        assert (error.kind, error.charged, sagemaker.requests) == (FailureKind.NOT_SERVED, Charged.NO, [])

    def test_is_polled_by_what_the_engine_takes_for_a_polled_provider(self, provider: SageMaker) -> None:
        assert isinstance(provider, PolledProvider)

    def test_that_is_canceled_runs_on_and_is_found(
        self, provider: SageMaker, sagemaker: SageMakerServer, asked: Asked
    ) -> None:
        """There is no call that would stop it, and what it made is paid for."""
        ref = provider.submit(asked()).ref
        provider.cancel(ref, asked())
        sagemaker.finish(ATTEMPT)
        assert isinstance(provider.poll(ref, asked()), Done)
        assert len(sagemaker.requests) == 1


class TestTheClient:
    def test_may_be_older_than_what_it_need_not_know(
        self,
        provider: SageMaker,
        sagemaker: SageMakerServer,
        asked: Asked,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The Lambda runtime's boto3 may lack what SageMaker has learned in 2026; the answer is named all the same."""
        _write_older_model(tmp_path / "models")
        monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "models"))
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        assert isinstance(settle(provider, sagemaker, asked()), Done)
        assert f"/{ATTEMPT}/" in sagemaker.invocations[0].output

    def test_signs_for_the_region_in_the_address(self, asked: Asked) -> None:
        url = "https://runtime.sagemaker.ap-southeast-2.amazonaws.com/endpoints/longplay-musicgen-small"
        endpoint = Runtime().endpoint(asked(url=url))
        assert (endpoint.name, endpoint.client.meta.region_name) == ("longplay-musicgen-small", "ap-southeast-2")
        assert endpoint.client.meta.endpoint_url == "https://runtime.sagemaker.ap-southeast-2.amazonaws.com"


def _write_older_model(folder: Path) -> None:
    """The runtime's API as it was in 2025."""
    [file] = Path(botocore.__file__).parent.glob("data/sagemaker-runtime/2017-05-13/service-2.json*")
    model = json.loads(gzip.decompress(file.read_bytes()))
    asked = model["shapes"]["InvokeEndpointAsyncInput"]
    for name in ("Body", "Filename", "S3OutputPathExtension"):
        del asked["members"][name]
    del asked["payload"]
    older = folder / "sagemaker-runtime/2017-05-13"
    older.mkdir(parents=True)
    (older / "service-2.json").write_text(json.dumps(model))
