"""AWS's own client works with SageMaker's stand-in, so its answers have the form that SageMaker's have."""

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
    """A stand-in with an endpoint of music and one of images; an invocation runs when `finish` is called."""
    models = {MUSIC: "facebook/musicgen-small", IMAGE: "stable-diffusion-v1-5/stable-diffusion-v1-5"}
    with SageMakerServer(aws.s3, bucket=BUCKET, endpoints=models, quick=True) as server:
        yield server


@pytest.fixture
def client(server: SageMakerServer) -> Any:
    """AWS's client of the runtime, which sends a request once and does not retry it."""
    return make_client(server)


def make_client(server: SageMakerServer, **options: Any) -> Any:
    """A client of the stand-in; `options` are those of its configuration."""
    config = Config(retries={"total_max_attempts": 1}, **options)
    return boto3.client("sagemaker-runtime", endpoint_url=server.url, config=config)


def invoke(client: Any, aws: Aws, endpoint: str = MUSIC, order: Any = None, **fields: Any) -> dict[str, Any]:
    """Writes an order to S3 and queues an invocation of it; returns the client's answer."""
    aws.s3.put_object(Bucket=BUCKET, Key="order", Body=json.dumps(order or ORDERS[endpoint]))
    plain = {"InferenceId": "mine-1", "InputLocation": f"s3://{BUCKET}/order", "Accept": "application/json"}
    answer: dict[str, Any] = client.invoke_endpoint_async(**{"EndpointName": endpoint, **plain, **fields})
    return answer


def stored(aws: Aws, location: str) -> Any:
    """The JSON at an S3 URI."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return json.loads(aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def test_an_invocation_is_queued(server: SageMakerServer, client: Any, aws: Aws) -> None:
    """The answer has the inference id and two locations, one of the result and one of the error."""
    answer = invoke(client, aws)
    assert answer["InferenceId"] == "mine-1"
    assert answer["OutputLocation"].startswith(f"s3://{BUCKET}/gpu/{MUSIC}/")
    assert answer["FailureLocation"] != answer["OutputLocation"]
    assert server.generations == 1


def test_the_caller_can_extend_the_output_path(client: Any, aws: Aws) -> None:
    """The result's URI is below the extension that the caller gives."""
    answer = invoke(client, aws, S3OutputPathExtension="mine-1")
    assert answer["OutputLocation"].startswith(f"s3://{BUCKET}/gpu/{MUSIC}/mine-1/")


def test_a_result_exists_only_after_its_invocation_has_run(server: SageMakerServer, client: Any, aws: Aws) -> None:
    """Before `finish` there is no object at the result's URI; after it there is the JSON of a track."""
    answer = invoke(client, aws)
    with pytest.raises(ClientError, match="NoSuchKey"):
        stored(aws, answer["OutputLocation"])
    server.finish("mine-1")
    sound = stored(aws, answer["OutputLocation"])
    assert (sound["sampling_rate"], type(sound["audio"])) == (32_000, list)


def test_an_image_is_a_json_string_of_base64(server: SageMakerServer, client: Any, aws: Aws) -> None:
    """The result of an image is a JSON string of a PNG, as the toolkit's encoder writes a PIL image."""
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
def test_an_order_that_the_container_refuses_is_free(
    server: SageMakerServer, client: Any, aws: Aws, order: Any, fields: dict[str, str]
) -> None:
    """An order that the container refuses ends with code 400 at the failure's URI, and is not billed."""
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
def test_a_refused_order_raises_the_clients_error(
    server: SageMakerServer, client: Any, aws: Aws, fault: str, code: str, status: int
) -> None:
    """A refused order raises ClientError with AWS's code and status, and nothing is billed."""
    server.fault(fault)
    with pytest.raises(ClientError) as caught:
        invoke(client, aws)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert server.generations == 0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"EndpointName": "longplay-other"}, "not found"),
        ({"RequestTTLSeconds": 59}, "requestTTLSeconds"),
        ({"InvocationTimeoutSeconds": 3_601}, "invocationTimeoutSeconds"),
    ],
)
def test_a_field_outside_the_apis_limits_is_refused(
    server: SageMakerServer, aws: Aws, fields: dict[str, Any], message: str
) -> None:
    """The stand-in itself refuses an unknown endpoint and times out of range: the client's checks are off here."""
    client = make_client(server, parameter_validation=False)
    with pytest.raises(ClientError, match=message):
        invoke(client, aws, **fields)


@pytest.mark.parametrize(
    ("fault", "status", "place"),
    [
        (None, "Completed", "OutputLocation"),
        ("out_of_memory", "Failed", "FailureLocation"),
        ("expired", "Expired", None),
    ],
)
def test_a_notice_has_the_end_and_the_location(
    server: SageMakerServer, client: Any, aws: Aws, fault: str | None, status: str, place: str | None
) -> None:
    """The event of an invocation that has ended has its status, its inference id, and the URI of what was written."""
    if fault:
        server.fault(fault)
    answer = invoke(client, aws)
    server.finish("mine-1")
    [record] = server.callback("mine-1")["Records"]
    message = json.loads(record["Sns"]["Message"])
    written = message.get("responseParameters", {}).get("outputLocation") or message.get("failureLocation")
    assert (message["invocationStatus"], message["inferenceId"]) == (status, "mine-1")
    assert written == (answer[place] if place else None)


def test_a_queued_invocation_has_no_notice(server: SageMakerServer, client: Any, aws: Aws) -> None:
    """Before an invocation has ended, `callback` raises LookupError."""
    invoke(client, aws)
    with pytest.raises(LookupError):
        server.callback("mine-1")


def test_an_unsigned_request_is_refused(server: SageMakerServer, aws: Aws) -> None:
    """A request without AWS's signature raises ClientError."""
    client = make_client(server, signature_version=UNSIGNED)
    with pytest.raises(ClientError, match="Authentication"):
        invoke(client, aws)
