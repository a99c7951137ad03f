"""The permissions of the functions' roles, tried on the emulator with their credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from tests.end_to_end.deployed_stack import DeployedStack

Call = Callable[[str, str, str, Mapping[str, Any]], Any]

# A call is a service, a method and its arguments; {…} stands for an output of the stack.
FILE = {"Bucket": "{BucketName}", "Key": "jobs/some/1/0"}
UPLOAD = {"Bucket": "{BucketName}", "Key": "uploads/alice/some"}
ELSEWHERE = {"Bucket": "{BucketName}", "Key": "elsewhere/some"}
ITEM = {"TableName": "{TableName}", "Key": {"pk": {"S": "job#some"}}}
SECRET = {"SecretId": "{SecretName}"}
DENIED = {"AccessDenied", "AccessDeniedException", "403"}

GENERATOR_MAY = [
    ("s3", "put_object", {**FILE, "Body": b"file"}),
    ("s3", "get_object", FILE),
    ("dynamodb", "get_item", ITEM),
    ("secretsmanager", "get_secret_value", SECRET),
    ("sqs", "send_message", {"QueueUrl": "{StepsQueueUrl}", "MessageBody": "{}", "DelaySeconds": 900}),
]
NO_FUNCTION_MAY = [
    ("s3", "get_object", ELSEWHERE),
    ("s3", "delete_object", ELSEWHERE),
    ("s3", "get_object", {"Bucket": "cdk-hnb659fds-assets-000000000000-us-east-1", "Key": "some"}),
    ("s3", "list_objects_v2", {"Bucket": "{BucketName}"}),
    ("s3", "list_buckets", {}),
    ("s3", "delete_bucket", {"Bucket": "{BucketName}"}),
    ("dynamodb", "scan", {"TableName": "{TableName}"}),
    ("dynamodb", "delete_table", {"TableName": "{TableName}"}),
    ("secretsmanager", "put_secret_value", {**SECRET, "SecretString": "{}"}),
    ("secretsmanager", "list_secrets", {}),
    ("sqs", "send_message", {"QueueUrl": "{DeadQueueUrl}", "MessageBody": "{}"}),
    ("sqs", "purge_queue", {"QueueUrl": "{CallsQueueUrl}"}),
    ("lambda", "list_functions", {}),
    ("iam", "list_roles", {}),
]
MAY_NOT = {
    "Submit": [
        ("secretsmanager", "get_secret_value", SECRET),
        ("dynamodb", "delete_item", ITEM),
        ("s3", "delete_object", FILE),
        ("s3", "delete_object", UPLOAD),
        ("s3", "delete_object", {"Bucket": "{BucketName}", "Key": "inputs/some"}),
        ("sqs", "receive_message", {"QueueUrl": "{CallsQueueUrl}"}),
    ],
    "Jobs": [
        ("s3", "get_object", UPLOAD),
        ("s3", "put_object", {**UPLOAD, "Body": b""}),
        ("secretsmanager", "get_secret_value", SECRET),
        ("sqs", "receive_message", {"QueueUrl": "{CallsQueueUrl}"}),
    ],
    "Faces": [
        ("secretsmanager", "get_secret_value", SECRET),
        ("dynamodb", "delete_item", ITEM),
        ("s3", "delete_object", FILE),
        ("sqs", "receive_message", {"QueueUrl": "{CallsQueueUrl}"}),
    ],
    "Authorizer": [
        ("secretsmanager", "get_secret_value", SECRET),
        ("dynamodb", "get_item", ITEM),
        ("dynamodb", "put_item", {"TableName": "{TableName}", "Item": {"pk": {"S": "job#some"}}}),
        ("s3", "get_object", FILE),
        ("sqs", "send_message", {"QueueUrl": "{StepsQueueUrl}", "MessageBody": "{}"}),
        ("apigateway", "get_api_keys", {}),
    ],
    "Web": [
        ("secretsmanager", "get_secret_value", SECRET),
        ("dynamodb", "get_item", ITEM),
        ("s3", "get_object", FILE),
        ("sqs", "send_message", {"QueueUrl": "{StepsQueueUrl}", "MessageBody": "{}"}),
    ],
    "Generator": [
        ("s3", "put_object", {**UPLOAD, "Body": b""}),
        ("s3", "delete_object", FILE),
        ("s3", "get_object", UPLOAD),
    ],
    "Batches": [
        ("secretsmanager", "get_secret_value", SECRET),
        ("dynamodb", "delete_item", ITEM),
        ("s3", "get_object", FILE),
        ("s3", "put_object", {**FILE, "Body": b""}),
        ("s3", "delete_object", {"Bucket": "{BucketName}", "Key": "batches/some"}),
        ("sqs", "send_message", {"QueueUrl": "{CallsQueueUrl}", "MessageBody": "{}"}),
    ],
    "Sweeper": [
        ("secretsmanager", "get_secret_value", SECRET),
        ("s3", "put_object", {**FILE, "Body": b""}),
    ],
    "Doctor": [
        ("dynamodb", "delete_item", ITEM),
        ("s3", "get_object", FILE),
        ("sqs", "send_message", {"QueueUrl": "{StepsQueueUrl}", "MessageBody": "{}"}),
    ],
    "Callbacks": [
        ("secretsmanager", "get_secret_value", SECRET),
        ("dynamodb", "put_item", {"TableName": "{TableName}", "Item": {"pk": {"S": "job#some"}}}),
        ("dynamodb", "delete_item", ITEM),
        ("s3", "get_object", FILE),
    ],
}


def _denied_calls() -> list[Any]:
    return [
        pytest.param(function, *call, id=f"{function}-{call[0]}-{call[1]}-{place}")
        for function, particular in MAY_NOT.items()
        for place, call in enumerate([*particular, *NO_FUNCTION_MAY])
    ]


@pytest.fixture(scope="module")
def call(deployed: DeployedStack) -> Call:
    """Makes a call with the credentials of a function."""
    session = cache(deployed.session_of)
    client = cache(lambda function, service: session(function).client(service))

    def make(function: str, service: str, method: str, arguments: Mapping[str, Any]) -> Any:
        return getattr(client(function, service), method)(**_filled(arguments, deployed.deployment.outputs))

    return make


@pytest.mark.parametrize(("service", "method", "arguments"), GENERATOR_MAY, ids=lambda value: str(value)[:20])
def test_the_generator_may_do_its_work(call: Call, service: str, method: str, arguments: Mapping[str, Any]) -> None:
    """Each of these calls is allowed."""
    assert call("Generator", service, method, arguments)["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(("function", "service", "method", "arguments"), _denied_calls())
def test_a_function_is_denied_any_other_call(
    call: Call, function: str, service: str, method: str, arguments: Mapping[str, Any]
) -> None:
    """The error is an access error, not a missing resource."""
    with pytest.raises(ClientError) as denied:
        call(function, service, method, arguments)
    assert denied.value.response["Error"]["Code"] in DENIED


def test_the_bucket_cannot_be_read_without_a_signature(deployed: DeployedStack) -> None:
    """Files are not public."""
    bucket = f"{deployed.aws.url}/{deployed.deployment.outputs['BucketName']}"
    assert requests.get(f"{bucket}/jobs/some/1/0", timeout=30).status_code == 403


def _filled(arguments: Mapping[str, Any], outputs: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: value.format_map(outputs) if isinstance(value, str) and value != "{}" else value
        for name, value in arguments.items()
    }
