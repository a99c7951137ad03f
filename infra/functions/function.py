"""A Lambda function with its own role and log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.functions.acknowledge import acknowledge
from infra.functions.bundling import ARCHITECTURE, RUNTIME

LOG_RETENTION = logs.RetentionDays.ONE_MONTH

ONE_RUNTIME = (
    "All functions run on the Python version that they are tested on and that their compiled packages are for."
)
NO_LOST_EVENTS = (
    "No event of a function can be lost: API callers get an answer, the queues have a dead-letter queue, "
    "and the sweeper runs again within a minute."
)
NO_TRACES = "Each log line of a job has its id, in every function; X-Ray can be granted on no narrower ARN than *."
ACKNOWLEDGED = {
    "AwsSolutions-L1": ONE_RUNTIME,
    "Serverless-LambdaLatestVersion": ONE_RUNTIME,
    "Serverless-LambdaDLQ": NO_LOST_EVENTS,
    "Serverless-LambdaTracing": NO_TRACES,
}


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """The code and settings of the functions of the shared asset, and the table, bucket and queues that they share."""

    code: lambda_.Code
    settings: str
    table: dynamodb.TableV2
    bucket: s3.Bucket
    calls: sqs.Queue
    steps: sqs.Queue
    hooks: sqs.Queue

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of every function."""
        return {
            "TABLE_NAME": self.table.table_name,
            "BUCKET_NAME": self.bucket.bucket_name,
            "CALLS_QUEUE_URL": self.calls.queue_url,
            "STEPS_QUEUE_URL": self.steps.queue_url,
            "HOOKS_QUEUE_URL": self.hooks.queue_url,
            "SETTINGS": self.settings,
            "POWERTOOLS_SERVICE_NAME": "longplay",
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }


class BaseFunction(lambda_.Function):
    """A function with its own role and log. At first it may only write its log; `allow` grants more.

    Lambda ends a chain of a function and a queue after 16 rounds (AWS: "recursive loop detection", 2026-11), unless
    the function `sends_to_itself` on purpose.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        code: lambda_.Code,
        handler: str,
        timeout: cdk.Duration,
        memory_size: int,
        environment: Mapping[str, str],
        ephemeral_storage_size: cdk.Size | None = None,
        sends_to_itself: bool = False,
    ) -> None:
        lambda_service = iam.ServicePrincipal("lambda.amazonaws.com")
        self._own_role = iam.Role(scope, f"{construct_id}Role", assumed_by=lambda_service)
        log = logs.LogGroup(
            scope,
            f"{construct_id}Log",
            retention=LOG_RETENTION,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        super().__init__(
            scope,
            construct_id,
            code=code,
            handler=handler,
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            role=self._own_role,
            log_group=log,
            timeout=timeout,
            memory_size=memory_size,
            ephemeral_storage_size=ephemeral_storage_size,
            environment={**environment},
            recursive_loop=lambda_.RecursiveLoop.ALLOW if sends_to_itself else lambda_.RecursiveLoop.TERMINATE,
        )
        self.allow("logs:CreateLogStream", "logs:PutLogEvents", on=log.log_group_arn)
        acknowledge(self, ACKNOWLEDGED)

    def allow(self, *actions: str, on: str, when: Mapping[str, object] | None = None) -> None:
        """Grants these actions on one ARN, optionally under a condition."""
        self.add_to_role_policy(iam.PolicyStatement(actions=[*actions], resources=[on], conditions=when))


class Function(BaseFunction):
    """One entry point of the shared asset; the `allow` methods grant rights on what the functions share."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        entry: str,
        runtime: Runtime,
        timeout: cdk.Duration,
        memory_size: int = 256,
        ephemeral_storage_size: cdk.Size | None = None,
        environment: Mapping[str, str] | None = None,
        sends_to_itself: bool = False,
    ) -> None:
        self._runtime = runtime
        super().__init__(
            scope,
            construct_id,
            code=runtime.code,
            handler=f"{entry}.handler",
            timeout=timeout,
            memory_size=memory_size,
            ephemeral_storage_size=ephemeral_storage_size,
            environment={**runtime.environment, **(environment or {})},
            sends_to_itself=sends_to_itself,
        )

    def allow_items(self, *verbs: str) -> None:
        """Grants these DynamoDB actions on the items of the table, not on its indexes."""
        self.allow(*(f"dynamodb:{verb}" for verb in verbs), on=self._runtime.table.table_arn)

    def allow_querying(self, index: str) -> None:
        """Lets the function query this index of the table."""
        self.allow("dynamodb:Query", on=f"{self._runtime.table.table_arn}/index/{index}")

    def allow_files(self, *verbs: str, prefix: str) -> None:
        """Grants these S3 actions on the files whose keys begin with `prefix`."""
        bucket = self._runtime.bucket
        self.allow(*(f"s3:{verb}" for verb in verbs), on=bucket.arn_for_objects(f"{prefix}*"))
        bucket_id = cdk.Stack.of(bucket).resolve(bucket.bucket_arn)["Fn::GetAtt"][0]
        finding = f"AwsSolutions-IAM5[Resource::<{bucket_id}.Arn>/{prefix}*]"
        acknowledge(
            self._own_role, {finding: f"Keys under {prefix} are made for each job; no other key can be reached."}
        )

    def allow_listing(self, *prefixes: str) -> None:
        """Lets the function list the files under these prefixes, and see that a file is missing.

        Without this, S3 answers 403 for a missing file, as for a forbidden one.
        """
        under = {"StringLike": {"s3:prefix": [f"{prefix}*" for prefix in prefixes]}}
        self.allow("s3:ListBucket", on=self._runtime.bucket.bucket_arn, when=under)

    def allow_counting(self) -> None:
        """Lets the function read how many messages wait in both work queues."""
        for queue in (self._runtime.calls, self._runtime.steps):
            self.allow("sqs:GetQueueAttributes", on=queue.queue_arn)

    def allow_telling(self) -> None:
        """Lets the function send messages to the queue of hooks, since it ends jobs or tells one again."""
        self.allow("sqs:SendMessage", on=self._runtime.hooks.queue_arn)

    def allow_steps(self) -> None:
        """Lets the function send messages to the queue of steps, for batches."""
        self.allow("sqs:SendMessage", on=self._runtime.steps.queue_arn)

    def allow_sending(self) -> None:
        """Lets the function send messages to both work queues."""
        for queue in (self._runtime.calls, self._runtime.steps):
            self.allow("sqs:SendMessage", on=queue.queue_arn)
