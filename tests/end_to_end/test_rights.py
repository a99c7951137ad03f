"""What the functions' roles may do, tried on the emulator with their credentials: their verbs and no more."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from tests.end_to_end.deployed_stack import DeployedStack

# A call is a service, a method and its arguments; {…} stands for an output of the stack.
FILE = {"Bucket": "{BucketName}", "Key": "jobs/some/1/0"}
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
GENERATOR_MAY_NOT = [
    ("s3", "delete_object", FILE),
    ("s3", "put_object", {"Bucket": "{BucketName}", "Key": "inputs/some", "Body": b""}),
    ("s3", "get_object", {"Bucket": "{BucketName}", "Key": "elsewhere/some"}),
    ("s3", "get_object", {"Bucket": "cdk-hnb659fds-assets-000000000000-us-east-1", "Key": "some"}),
    ("s3", "list_objects_v2", {"Bucket": "{BucketName}", "Prefix": "inputs/"}),
    ("s3", "delete_bucket", {"Bucket": "{BucketName}"}),
    ("s3", "list_buckets", {}),
    ("dynamodb", "scan", {"TableName": "{TableName}"}),
    ("dynamodb", "delete_table", {"TableName": "{TableName}"}),
    ("secretsmanager", "put_secret_value", {**SECRET, "SecretString": "{}"}),
    ("secretsmanager", "list_secrets", {}),
    ("sqs", "send_message", {"QueueUrl": "{DeadQueueUrl}", "MessageBody": "{}"}),
    ("sqs", "purge_queue", {"QueueUrl": "{CallsQueueUrl}"}),
    ("lambda", "list_functions", {}),
    ("iam", "list_roles", {}),
]
JOBS_MAY_NOT = [
    ("secretsmanager", "get_secret_value", SECRET),
    ("s3", "put_object", {**FILE, "Body": b""}),
    ("dynamodb", "put_item", {"TableName": "{TableName}", "Item": {"pk": {"S": "job#some"}}}),
    ("dynamodb", "scan", {"TableName": "{TableName}"}),
]
SUBMIT_MAY_NOT = [
    ("secretsmanager", "get_secret_value", SECRET),
    ("dynamodb", "delete_item", ITEM),
    ("dynamodb", "query", {"TableName": "{TableName}", "IndexName": "open", "KeyConditionExpression": "#o = :o"}),
    ("sqs", "receive_message", {"QueueUrl": "{CallsQueueUrl}"}),
]
SWEEPER_MAY_NOT = [
    ("secretsmanager", "get_secret_value", SECRET),
    ("s3", "put_object", {**FILE, "Body": b""}),
    ("dynamodb", "scan", {"TableName": "{TableName}"}),
]


def _beyond() -> list[Any]:
    table = {
        "Generator": GENERATOR_MAY_NOT,
        "Jobs": JOBS_MAY_NOT,
        "Submit": SUBMIT_MAY_NOT,
        "Sweeper": SWEEPER_MAY_NOT,
    }
    return [
        pytest.param(function, *call, id=f"{function}-{call[0]}-{call[1]}-{place}")
        for function, calls in table.items()
        for place, call in enumerate(calls)
    ]


@pytest.mark.parametrize(("service", "method", "arguments"), GENERATOR_MAY, ids=lambda value: str(value)[:20])
def test_the_generator_may_do_its_work(
    stack: DeployedStack, service: str, method: str, arguments: dict[str, Any]
) -> None:
    answer = _call(stack, "Generator", service, method, arguments)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(("function", "service", "method", "arguments"), _beyond())
def test_a_function_is_denied_whatever_is_not_its_work(
    stack: DeployedStack, function: str, service: str, method: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as denied:
        _call(stack, function, service, method, arguments)
    assert denied.value.response["Error"]["Code"] in DENIED


def test_nobody_reads_the_bucket_without_a_signature(stack: DeployedStack) -> None:
    bucket = f"{stack.aws.url}/{stack.deployment.outputs['BucketName']}"
    assert requests.get(f"{bucket}/jobs/some/1/0", timeout=30).status_code == 403


def _call(stack: DeployedStack, function: str, service: str, method: str, arguments: dict[str, Any]) -> Any:
    client = stack.client_of(function, service)
    return getattr(client, method)(**_filled(arguments, stack.deployment.outputs))


def _filled(arguments: dict[str, Any], outputs: Any) -> dict[str, Any]:
    return {
        name: value.format_map(outputs) if isinstance(value, str) and value != "{}" else value
        for name, value in arguments.items()
    }
