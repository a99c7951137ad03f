"""The stand-in held to AWS's own client: what boto3 understands, SageMaker could have said."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from local.stand_ins.sagemaker import SageMakerServer
from tests.harness.aws import BUCKET, Aws

MUSIC, IMAGE = "longplay-musicgen-small", "longplay-stable-diffusion-v1-5"
ORDERS: dict[str, Any] = {
    MUSIC: {"inputs": "slow jazz", "parameters": {"generate_kwargs": {"max_new_tokens": 50}}},
    IMAGE: {"inputs": "a lighthouse", "parameters": {"num_inference_steps": 4}},
}


@pytest.fixture
def server(aws: Aws) -> Iterator[SageMakerServer]:
    """The stand-in; what it queues runs when a test says so."""
    models = {MUSIC: "facebook/musicgen-small", IMAGE: "stable-diffusion-v1-5/stable-diffusion-v1-5"}
    with SageMakerServer(aws.s3, bucket=BUCKET, endpoints=models, quick=True) as server:
        yield server


@pytest.fixture
def client(server: SageMakerServer) -> Any:
    """AWS's client for the runtime."""
    once = Config(retries={"total_max_attempts": 1})
    return boto3.client("sagemaker-runtime", endpoint_url=server.url, config=once)


def invoke(client: Any, aws: Aws, endpoint: str = MUSIC, order: Any = None, **fields: Any) -> dict[str, Any]:
    """Queue an order that is left in S3 first."""
    aws.s3.put_object(Bucket=BUCKET, Key="order", Body=json.dumps(order or ORDERS[endpoint]))
    plain = {"InferenceId": "mine-1", "InputLocation": f"s3://{BUCKET}/order", "Accept": "application/json"}
    answer: dict[str, Any] = client.invoke_endpoint_async(**{"EndpointName": endpoint, **plain, **fields})
    return answer


def stored(aws: Aws, location: str) -> Any:
    """The JSON at a location."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return json.loads(aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def test_an_invocation_is_queued_and_both_its_locations_are_told(
    server: SageMakerServer, client: Any, aws: Aws
) -> None:
    answer = invoke(client, aws)
    assert answer["InferenceId"] == "mine-1"
    assert answer["OutputLocation"].startswith(f"s3://{BUCKET}/gpu/{MUSIC}/")
    assert answer["FailureLocation"] != answer["OutputLocation"]
    assert server.generations == 1


def test_the_answer_lies_under_the_name_its_caller_adds(client: Any, aws: Aws) -> None:
    answer = invoke(client, aws, S3OutputPathExtension="mine-1")
    assert answer["OutputLocation"].startswith(f"s3://{BUCKET}/gpu/{MUSIC}/mine-1/")


def test_nothing_is_there_until_it_has_run(server: SageMakerServer, client: Any, aws: Aws) -> None:
    answer = invoke(client, aws)
    with pytest.raises(ClientError, match="NoSuchKey"):
        stored(aws, answer["OutputLocation"])
    server.finish("mine-1")
    sound = stored(aws, answer["OutputLocation"])
    assert (sound["sampling_rate"], type(sound["audio"])) == (32_000, list)


def test_an_image_is_a_json_string_of_base64(server: SageMakerServer, client: Any, aws: Aws) -> None:
    """As the toolkit's encoder writes a PIL image."""
    answer = invoke(client, aws, IMAGE)
    server.finish("mine-1")
    assert base64.b64decode(stored(aws, answer["OutputLocation"])).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("order", "fields"),
    [
        ({"inputs": "x", "parameters": {"seed": 7}}, {}),
        ({"inputs": "x", "parameters": {"width": 511}}, {}),
        ({"inputs": "x"}, {"Accept": "image/png"}),
    ],
)
def test_what_the_container_cannot_take_is_a_failure_that_costs_nothing(
    server: SageMakerServer, client: Any, aws: Aws, order: Any, fields: dict[str, str]
) -> None:
    answer = invoke(client, aws, IMAGE, order, **fields)
    server.finish("mine-1")
    assert stored(aws, answer["FailureLocation"])["code"] == 400
    assert server.generations == 0


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        ("throttled", "ThrottlingException", 400),
        ("invalid", "ValidationError", 400),
        ("not_ready", "ModelNotReadyException", 429),
        ("forbidden", "AccessDeniedException", 403),
        ("unavailable", "ServiceUnavailable", 503),
        ("server_error", "InternalFailure", 500),
    ],
)
def test_a_refusal_is_an_error_the_client_knows(
    server: SageMakerServer, client: Any, aws: Aws, fault: str, code: str, status: int
) -> None:
    server.fault(fault)
    with pytest.raises(ClientError) as caught:
        invoke(client, aws)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert server.generations == 0


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"EndpointName": "longplay-other"}, "not found"),
        ({"RequestTTLSeconds": 59}, "requestTTLSeconds"),
        ({"InvocationTimeoutSeconds": 3_601}, "invocationTimeoutSeconds"),
    ],
)
def test_what_the_api_does_not_allow_is_refused(
    server: SageMakerServer, aws: Aws, fields: dict[str, Any], complaint: str
) -> None:
    """The client checks nothing here: the service does."""
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    client = boto3.client("sagemaker-runtime", endpoint_url=server.url, config=config)
    with pytest.raises(ClientError, match=complaint):
        invoke(client, aws, **fields)


@pytest.mark.parametrize(
    ("fault", "status", "place"),
    [
        (None, "Completed", "OutputLocation"),
        ("out_of_memory", "Failed", "FailureLocation"),
        ("expired", "Expired", None),
    ],
)
def test_who_listens_is_told_how_it_ended_and_where(
    server: SageMakerServer, client: Any, aws: Aws, fault: str | None, status: str, place: str | None
) -> None:
    if fault:
        server.fault(fault)
    answer = invoke(client, aws)
    server.finish("mine-1")
    [record] = server.callback("mine-1")["Records"]
    message = json.loads(record["Sns"]["Message"])
    told = message.get("responseParameters", {}).get("outputLocation") or message.get("failureLocation")
    assert (message["invocationStatus"], message["inferenceId"]) == (status, "mine-1")
    assert told == (answer[place] if place else None)


def test_nobody_is_told_of_what_has_not_ended(server: SageMakerServer, client: Any, aws: Aws) -> None:
    invoke(client, aws)
    with pytest.raises(LookupError):
        server.callback("mine-1")


def test_what_is_not_signed_is_not_heard(server: SageMakerServer, aws: Aws) -> None:

    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
    client = boto3.client("sagemaker-runtime", endpoint_url=server.url, config=config)
    with pytest.raises(ClientError, match="Authentication"):
        invoke(client, aws)
