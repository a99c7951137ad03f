"""The AWS side of the tests: moto in process, with the table, queues, bucket and secret of the stack."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import boto3

REGION = "eu-central-1"
TABLE = "jobs"
BUCKET = "results"
SECRET = "provider-tokens"
WEBHOOK_ROOT = "webhook-root"
ACCOUNT = {"AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@dataclass(frozen=True, kw_only=True)
class Aws:
    """Clients on the emulated account, and the environment a function would find."""

    dynamodb: Any
    sqs: Any
    s3: Any
    secrets: Any
    environment: dict[str, str]


def make_account(**settings: Any) -> Aws:
    """The stack's resources on moto; `settings` become the functions' SETTINGS."""
    dynamodb: Any = boto3.client("dynamodb")
    sqs: Any = boto3.client("sqs")
    s3: Any = boto3.client("s3")
    secrets: Any = boto3.client("secretsmanager")
    _make_table(dynamodb)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    secrets.create_secret(Name=SECRET, SecretString="{}")
    secrets.create_secret(Name=WEBHOOK_ROOT, SecretString="root")
    environment = {
        "TABLE_NAME": TABLE,
        "BUCKET_NAME": BUCKET,
        "CALLS_QUEUE_URL": sqs.create_queue(QueueName="calls")["QueueUrl"],
        "STEPS_QUEUE_URL": sqs.create_queue(QueueName="steps")["QueueUrl"],
        "HOOKS_QUEUE_URL": sqs.create_queue(QueueName="hooks")["QueueUrl"],
        "WEBHOOK_ROOT_ID": WEBHOOK_ROOT,
        "EVENT_SOURCE": "longplay",
        "PROVIDER_SECRET_ID": SECRET,
        "SETTINGS": json.dumps(settings),
    }
    return Aws(dynamodb=dynamodb, sqs=sqs, s3=s3, secrets=secrets, environment=environment)


def _make_table(dynamodb: Any) -> None:
    names = {"pk": "S", "open": "S", "due_at": "N", "owner": "S", "created_at": "N"}
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in names.items()],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[_index("open", "open", "due_at"), _index("mine", "owner", "created_at")],
    )


def _index(name: str, partition: str, sort: str) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": [
            {"AttributeName": partition, "KeyType": "HASH"},
            {"AttributeName": sort, "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
