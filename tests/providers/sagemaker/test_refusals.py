"""Every way a call can be refused or fail, and what each may have cost."""

from __future__ import annotations

import pytest
from botocore.stub import Stubber
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.protocol import Done, PollError
from longplay.providers.sagemaker.adapter import SageMaker
from longplay.providers.sagemaker.payloads import Payloads

from local.stand_ins.sagemaker import SageMakerServer
from tests.harness.aws import BUCKET, Aws
from tests.providers.sagemaker.calls import ATTEMPT, BILLED, MODELS, MUSIC, Asked, failure


class TestARefusal:
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
        ],
    )
    def test_has_its_kind_and_what_it_may_have_cost(
        self,
        provider: SageMaker,
        sagemaker: SageMakerServer,
        asked: Asked,
        fault: str,
        kind: FailureKind,
        charged: Charged,
    ) -> None:
        sagemaker.fault(fault)
        error = failure(provider, sagemaker, asked())
        assert (error.kind, error.charged) == (kind, charged)
        assert sagemaker.generations in BILLED[charged]

    @pytest.mark.parametrize("fault", ["throttled", "unavailable", "server_error", "drop"])
    def test_is_never_answered_by_a_second_call(
        self, provider: SageMaker, sagemaker: SageMakerServer, asked: Asked, fault: str
    ) -> None:
        """The client would repeat these by itself, and each that was queued is run and paid."""
        sagemaker.fault(fault, queued=True)
        failure(provider, sagemaker, asked())
        assert len(sagemaker.requests) == 1

    @pytest.mark.parametrize("fault", ["missing", "forbidden"])
    def test_does_not_tell_the_accounts_number(
        self, provider: SageMaker, sagemaker: SageMakerServer, asked: Asked, fault: str
    ) -> None:
        sagemaker.fault(fault)
        message = failure(provider, sagemaker, asked()).message
        assert "111122223333" not in message
        assert "[account]" in message

    def test_of_an_endpoint_that_is_not_there_names_the_way_to_it(
        self, provider: SageMaker, sagemaker: SageMakerServer, asked: Asked
    ) -> None:
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
    def test_meets_an_address_that_is_no_endpoints(self, provider: SageMaker, asked: Asked, url: str) -> None:
        with pytest.raises(ProviderError) as caught:
            provider.submit(asked(url=url))
        assert (caught.value.kind, caught.value.charged) == (FailureKind.NOT_SERVED, Charged.NO)

    def test_by_a_server_that_is_away_costs_nothing(self, provider: SageMaker, asked: Asked) -> None:
        with pytest.raises(ProviderError) as caught:
            provider.submit(asked(url="http://127.0.0.1:1/endpoints/a"))
        assert (caught.value.kind, caught.value.charged) == (FailureKind.UNREACHABLE, Charged.NO)

    def test_by_the_bucket_costs_nothing(self, aws: Aws, sagemaker: SageMakerServer, asked: Asked) -> None:
        provider = SageMaker(Payloads(lambda: aws.s3, "another-bucket"))
        with pytest.raises(ProviderError, match="NoSuchBucket") as caught:
            provider.submit(asked())
        assert (caught.value.charged, sagemaker.requests) == (Charged.NO, [])

    def test_by_an_endpoint_that_writes_elsewhere_is_told(self, aws: Aws, asked: Asked) -> None:
        aws.s3.create_bucket(Bucket="theirs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        provider = SageMaker(Payloads(lambda: aws.s3, BUCKET))
        theirs = SageMakerServer(aws.s3, bucket="theirs", endpoints=MODELS)
        with theirs, pytest.raises(ProviderError, match="gpu/") as caught:
            provider.submit(asked(url=theirs.url_of(MUSIC)))
        assert (caught.value.kind, caught.value.charged) == (FailureKind.BAD_OUTPUT, Charged.UNKNOWN)


class TestAFailure:
    @pytest.mark.parametrize(
        ("fault", "kind", "charged"),
        [
            ("out_of_memory", FailureKind.OUT_OF_MEMORY, Charged.NO),
            ("bad_input", FailureKind.BAD_INPUT, Charged.NO),
            ("model_error", FailureKind.UPSTREAM, Charged.UNKNOWN),
            ("page", FailureKind.BAD_OUTPUT, Charged.UNKNOWN),
            ("empty", FailureKind.UPSTREAM, Charged.UNKNOWN),
            ("nothing", FailureKind.BAD_OUTPUT, Charged.YES),
        ],
    )
    def test_has_its_kind_and_what_it_may_have_cost(
        self,
        provider: SageMaker,
        sagemaker: SageMakerServer,
        asked: Asked,
        fault: str,
        kind: FailureKind,
        charged: Charged,
    ) -> None:
        sagemaker.fault(fault)
        error = failure(provider, sagemaker, asked())
        assert (error.kind, error.charged) == (kind, charged)
        assert sagemaker.generations in BILLED[charged]

    def test_is_told_in_the_containers_words(
        self, provider: SageMaker, sagemaker: SageMakerServer, asked: Asked
    ) -> None:
        sagemaker.fault("out_of_memory")
        error = failure(provider, sagemaker, asked())
        assert "CUDA out of memory" in error.message
        assert error.request_id == ATTEMPT

    def test_of_any_length_and_in_any_bytes_is_one_short_line(
        self, provider: SageMaker, sagemaker: SageMakerServer, asked: Asked, aws: Aws
    ) -> None:
        ref = provider.submit(asked()).ref
        key = sagemaker.invocations[0].failure.removeprefix(f"s3://{BUCKET}/")
        aws.s3.put_object(Bucket=BUCKET, Key=key, Body=b"\xff\x1b[31m\n" * 200_000)
        with pytest.raises(ProviderError) as caught:
            provider.poll(ref, asked())
        assert len(caught.value.message) < 1_000
        assert caught.value.message.isprintable()

    def test_to_ask_the_bucket_says_nothing_about_the_generation(
        self, provider: SageMaker, asked: Asked, aws: Aws
    ) -> None:
        ref = provider.submit(asked()).ref
        refusing = Stubber(aws.s3)
        refusing.add_client_error("get_object", service_error_code="AccessDenied", http_status_code=403)
        with refusing, pytest.raises(PollError, match="AccessDenied"):
            provider.poll(ref, asked())

    def test_to_fetch_it_in_time_leaves_it_there(
        self, provider: SageMaker, sagemaker: SageMakerServer, asked: Asked
    ) -> None:
        ref = provider.submit(asked()).ref
        sagemaker.finish(ATTEMPT)
        with pytest.raises(PollError, match="in time"):
            provider.poll(ref, asked(timeout=-1.0))
        assert isinstance(provider.poll(ref, asked()), Done)
