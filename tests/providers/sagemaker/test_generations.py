"""Generations at SageMaker: how they are queued, and how the result is found."""

from __future__ import annotations

import gzip
import json
import time
from pathlib import Path

import boto3
import botocore
import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.protocol import Accepted, Done, PolledProvider
from longplay.providers.references import SAFETY_NET
from longplay.providers.sagemaker.adapter import SageMaker
from longplay.providers.sagemaker.payloads import Payloads
from longplay.providers.sagemaker.runtime import Runtime

from local.stand_ins.sagemaker import SageMakerServer
from tests.harness.aws import BUCKET, Aws
from tests.providers.failures import facts, raised
from tests.providers.sagemaker.calls import ATTEMPT, IMAGE, MUSIC, Asked, failure, settle, stored


@pytest.mark.parametrize(("endpoint", "content_type"), [(MUSIC, "audio/wav"), (IMAGE, "image/png")])
def test_each_kind_is_queued_and_then_found(
    provider: SageMaker, sagemaker: SageMakerServer, asked: Asked, endpoint: str, content_type: str
) -> None:
    """Music and images are queued, and their results found in the bucket."""
    done = settle(provider, sagemaker, asked(endpoint))
    assert isinstance(done, Done)
    assert [file.content_type for file in done.files] == [content_type]
    assert (done.request_id, sagemaker.generations) == (ATTEMPT, 1)


def test_a_queued_generation_is_polled_again(provider: SageMaker, asked: Asked) -> None:
    """Until the endpoint has run it, a generation is polled as a safety net."""
    accepted = provider.submit(asked())
    assert provider.poll(accepted.ref, asked()) == accepted
    assert (accepted.poll_after, accepted.request_id) == (SAFETY_NET, ATTEMPT)


def test_an_invocation_has_the_attempts_name_and_folder(
    provider: SageMaker, sagemaker: SageMakerServer, asked: Asked
) -> None:
    """An invocation is named by the attempt, and its input lies where erasing the job finds it."""
    provider.submit(asked())
    [queued] = sagemaker.invocations
    assert queued.inference_id == ATTEMPT
    assert queued.input == f"s3://{BUCKET}/inputs/abcdefghijklmnopqrstuvwxyz/gpu-3"


def test_the_input_has_the_toolkits_form(
    provider: SageMaker, sagemaker: SageMakerServer, asked: Asked, aws: Aws
) -> None:
    """The input has nested arguments and accepts JSON, because the toolkit can send sound only as JSON."""
    provider.submit(asked(parameters={"duration": 8, "guidance_scale": 3.0}))
    [queued] = sagemaker.invocations
    assert queued.accept == "application/json"
    assert stored(aws, queued.input.removeprefix(f"s3://{BUCKET}/")) == {
        "inputs": "slow jazz",
        "parameters": {"generate_kwargs": {"do_sample": True, "guidance_scale": 3.0, "max_new_tokens": 400}},
    }


def test_no_seed_is_sent(provider: SageMaker, sagemaker: SageMakerServer, asked: Asked, aws: Aws) -> None:
    """The input has no seed, because the container's pipeline would refuse it."""
    done = settle(provider, sagemaker, asked(IMAGE, parameters={"seed": 7, "width": 512, "height": 512}))
    assert isinstance(done, Done)
    key = sagemaker.invocations[0].input.removeprefix(f"s3://{BUCKET}/")
    assert stored(aws, key)["parameters"] == {"width": 512, "height": 512}


@pytest.mark.parametrize(
    ("ends_within", "ttl", "timeout"), [(900.0, 900, 900), (5.5, 60, 5), (0.2, 60, 1), (86_400.0, 21_600, 3_600)]
)
def test_an_invocation_ends_with_the_job(
    provider: SageMaker, sagemaker: SageMakerServer, asked: Asked, ends_within: float, ttl: int, timeout: int
) -> None:
    """An invocation waits and runs no longer than until the job's deadline, within SageMaker's bounds."""
    provider.submit(asked(ends_within=ends_within))
    [queued] = sagemaker.invocations
    assert (queued.ttl, queued.timeout) == (ttl, timeout)


def test_an_invocation_expires_when_no_answer_can_come(aws: Aws, sagemaker: SageMakerServer, asked: Asked) -> None:
    """An invocation without an answer has expired once its waiting and running times are over."""
    late = 0.0
    provider = SageMaker(Payloads(lambda: aws.s3, BUCKET), clock=lambda: time.time() + late)
    sagemaker.fault("expired")
    ref = provider.submit(asked(ends_within=100)).ref
    sagemaker.finish(ATTEMPT)
    late = 200.0
    assert isinstance(provider.poll(ref, asked()), Accepted)
    late = 300.0
    error = raised(provider.poll, ref, asked())
    assert "expired" in error.message
    assert facts(error) == (FailureKind.UPSTREAM, Charged.UNKNOWN)


def test_video_is_not_served(provider: SageMaker, sagemaker: SageMakerServer, asked: Asked) -> None:
    """A call for video is NOT_SERVED before anything is sent."""
    error = failure(provider, sagemaker, asked(kind="video"))
    assert (error.kind, error.charged, sagemaker.requests) == (FailureKind.NOT_SERVED, Charged.NO, [])


def test_the_provider_can_be_polled(provider: SageMaker) -> None:
    """The provider is one that the engine polls."""
    assert isinstance(provider, PolledProvider)


def test_a_canceled_generation_runs_on(provider: SageMaker, sagemaker: SageMakerServer, asked: Asked) -> None:
    """A canceled generation still runs, is paid for, and its result is found: no call can stop it."""
    ref = provider.submit(asked()).ref
    provider.cancel(ref, asked())
    sagemaker.finish(ATTEMPT)
    assert isinstance(provider.poll(ref, asked()), Done)
    assert len(sagemaker.requests) == 1


def test_an_older_boto3_is_enough(
    provider: SageMaker, sagemaker: SageMakerServer, asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A boto3 without SageMaker's parameters of 2026, as in Lambda's runtime, still names the answer's place."""
    _write_older_model(tmp_path / "models")
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "models"))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert isinstance(settle(provider, sagemaker, asked()), Done)
    assert f"/{ATTEMPT}/" in sagemaker.invocations[0].output


def test_calls_go_to_the_region_in_the_address(asked: Asked) -> None:
    """A call is signed for the region that the endpoint's address names."""
    url = "https://runtime.sagemaker.ap-southeast-2.amazonaws.com/endpoints/longplay-musicgen-small"
    endpoint = Runtime().endpoint(asked(url=url))
    assert (endpoint.name, endpoint.client.meta.region_name) == ("longplay-musicgen-small", "ap-southeast-2")
    assert endpoint.client.meta.endpoint_url == "https://runtime.sagemaker.ap-southeast-2.amazonaws.com"


def _write_older_model(folder: Path) -> None:
    """Write the runtime's API as it was in 2025."""
    [file] = Path(botocore.__file__).parent.glob("data/sagemaker-runtime/2017-05-13/service-2.json*")
    model = json.loads(gzip.decompress(file.read_bytes()))
    invoke = model["shapes"]["InvokeEndpointAsyncInput"]
    for name in ("Body", "Filename", "S3OutputPathExtension"):
        del invoke["members"][name]
    del invoke["payload"]
    older = folder / "sagemaker-runtime/2017-05-13"
    older.mkdir(parents=True)
    (older / "service-2.json").write_text(json.dumps(model))
