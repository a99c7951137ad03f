"""Refusals and failures at SageMaker, and the charge of each."""

from __future__ import annotations

import pytest
from botocore.stub import Stubber
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.protocol import Done, PollError
from longplay.providers.sagemaker.adapter import SageMaker
from longplay.providers.sagemaker.payloads import Payloads

from local.stand_ins.sagemaker import SageMakerServer
from tests.harness.aws import BUCKET, Aws
from tests.providers.failures import BILLED, facts, raised
from tests.providers.sagemaker.calls import ATTEMPT, MODELS, MUSIC, Asked, failure


@pytest.mark.parametrize(
    ("fault", "kind", "charged"),
    [
        ("throttled", FailureKind.THROTTLED, Charged.NO),
        ("invalid", FailureKind.BAD_INPUT, Charged.NO),
        ("missing", FailureKind.NOT_SERVED, Charged.NO),
        ("starting", FailureKind.LOADING, Charged.NO),
        ("not_ready", FailureKind.LOADING, Charged.NO),
        ("forbidden", FailureKind.FORBIDDEN, Charged.NO),
        ("stale", FailureKind.FORBIDDEN, Charged.NO),
        ("unavailable", FailureKind.UPSTREAM, Charged.NO),
        ("server_error", FailureKind.UPSTREAM, Charged.UNKNOWN),
        ("drop", FailureKind.UPSTREAM, Charged.UNKNOWN),
        ("not_json", FailureKind.BAD_OUTPUT, Charged.UNKNOWN),
        ("out_of_memory", FailureKind.OUT_OF_MEMORY, Charged.NO),
        ("bad_input", FailureKind.BAD_INPUT, Charged.NO),
        ("model_error", FailureKind.UPSTREAM, Charged.UNKNOWN),
        ("page", FailureKind.BAD_OUTPUT, Charged.UNKNOWN),
        ("empty", FailureKind.UPSTREAM, Charged.UNKNOWN),
        ("nothing", FailureKind.BAD_OUTPUT, Charged.YES),
    ],
)
def test_each_fault_has_its_kind_and_charge(
    provider: SageMaker, sagemaker: SageMakerServer, asked: Asked, fault: str, kind: FailureKind, charged: Charged
) -> None:
    """Each refused call and failed generation has its kind, and a charge that agrees with the stand-in's count."""
    sagemaker.fault(fault)
    error = failure(provider, sagemaker, asked())
    assert facts(error) == (kind, charged)
    assert sagemaker.generations in BILLED[charged]


@pytest.mark.parametrize("fault", ["throttled", "unavailable", "server_error", "drop"])
def test_a_refused_call_is_not_repeated(
    provider: SageMaker, sagemaker: SageMakerServer, asked: Asked, fault: str
) -> None:
    """The client does not repeat a call by itself: each queued one would run and be paid for."""
    sagemaker.fault(fault, created=True)
    failure(provider, sagemaker, asked())
    assert len(sagemaker.requests) == 1


@pytest.mark.parametrize("fault", ["missing", "forbidden"])
def test_a_failure_does_not_contain_the_account_number(
    provider: SageMaker, sagemaker: SageMakerServer, asked: Asked, fault: str
) -> None:
    """The number of the AWS account is removed from a failure."""
    sagemaker.fault(fault)
    message = failure(provider, sagemaker, asked()).message
    assert "111122223333" not in message
    assert "[account]" in message


def test_a_missing_endpoint_names_the_gpu_setting(
    provider: SageMaker, sagemaker: SageMakerServer, asked: Asked
) -> None:
    """A missing endpoint is NOT_SERVED, and the failure names the setting that makes it."""
    error = failure(provider, sagemaker, asked(url=sagemaker.url_of("longplay-other")))
    assert error.kind is FailureKind.NOT_SERVED
    assert "gpu" in error.message


@pytest.mark.parametrize(
    "url",
    [
        "https://runtime.sagemaker.eu-central-1.amazonaws.com/",
        "https://runtime.sagemaker.eu-central-1.amazonaws.com/endpoints/a/../b",
        "https://runtime.sagemaker.eu-central-1.amazonaws.com.example.com/endpoints/a",
        "https://example.com/endpoints/a",
        "https://runtime.sagemaker.x@example.com/endpoints/a",
        "http://example.com/endpoints/a",
    ],
)
def test_an_address_of_no_endpoint_is_not_served(provider: SageMaker, asked: Asked, url: str) -> None:
    """An address that is not an endpoint's is NOT_SERVED and free."""
    error = raised(provider.submit, asked(url=url))
    assert facts(error) == (FailureKind.NOT_SERVED, Charged.NO)


def test_an_unreachable_server_costs_nothing(provider: SageMaker, asked: Asked) -> None:
    """A server that cannot be reached is UNREACHABLE and free."""
    error = raised(provider.submit, asked(url="http://127.0.0.1:1/endpoints/a"))
    assert facts(error) == (FailureKind.UNREACHABLE, Charged.NO)


def test_a_refusal_by_the_bucket_costs_nothing(aws: Aws, sagemaker: SageMakerServer, asked: Asked) -> None:
    """If the input cannot be stored, nothing is sent and nothing charged."""
    provider = SageMaker(Payloads(lambda: aws.s3, "another-bucket"))
    error = raised(provider.submit, asked())
    assert "NoSuchBucket" in error.message
    assert (error.charged, sagemaker.requests) == (Charged.NO, [])


def test_an_endpoint_that_writes_elsewhere_is_bad_output(aws: Aws, asked: Asked) -> None:
    """An endpoint that writes to another bucket is BAD_OUTPUT, and may have been charged."""
    aws.s3.create_bucket(Bucket="theirs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    provider = SageMaker(Payloads(lambda: aws.s3, BUCKET))
    theirs = SageMakerServer(aws.s3, bucket="theirs", endpoints=MODELS)
    with theirs:
        error = raised(provider.submit, asked(url=theirs.url_of(MUSIC)))
    assert "gpu/" in error.message
    assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.UNKNOWN)


def test_a_failure_quotes_the_container(provider: SageMaker, sagemaker: SageMakerServer, asked: Asked) -> None:
    """A failure quotes the container's text and carries the attempt as request id."""
    sagemaker.fault("out_of_memory")
    error = failure(provider, sagemaker, asked())
    assert "CUDA out of memory" in error.message
    assert error.request_id == ATTEMPT


def test_a_failures_text_is_short_and_printable(
    provider: SageMaker, sagemaker: SageMakerServer, asked: Asked, aws: Aws
) -> None:
    """A failure's text of any length and any bytes becomes one short printable line."""
    ref = provider.submit(asked()).ref
    key = sagemaker.invocations[0].failure.removeprefix(f"s3://{BUCKET}/")
    aws.s3.put_object(Bucket=BUCKET, Key=key, Body=b"\xff\x1b[31m\n" * 200_000)
    error = raised(provider.poll, ref, asked())
    assert len(error.message) < 1_000
    assert error.message.isprintable()


def test_a_refused_read_does_not_fail_the_generation(provider: SageMaker, asked: Asked, aws: Aws) -> None:
    """If the bucket refuses a read, the poll is a PollError."""
    ref = provider.submit(asked()).ref
    refusing = Stubber(aws.s3)
    refusing.add_client_error("get_object", service_error_code="AccessDenied", http_status_code=403)
    with refusing, pytest.raises(PollError, match="AccessDenied"):
        provider.poll(ref, asked())


def test_a_slow_read_does_not_fail_the_generation(
    provider: SageMaker, sagemaker: SageMakerServer, asked: Asked
) -> None:
    """A result that is not fetched in time is found by the next poll."""
    ref = provider.submit(asked()).ref
    sagemaker.finish(ATTEMPT)
    with pytest.raises(PollError, match="in time"):
        provider.poll(ref, asked(timeout=-1.0))
    assert isinstance(provider.poll(ref, asked()), Done)
