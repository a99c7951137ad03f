"""The functions that work in the background: the generator, the sweeper and the deliverer of hooks."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.functions.acknowledge import acknowledge
from infra.functions.function import Function, Runtime
from infra.queues import LONGEST_DELIVERY

REDRIVEN = "A queue moves a message that failed three times to its dead-letter queue; destinations are for streams."


class Generator(Construct):
    """Takes one job one step further per message; `concurrent_…` is the number of messages of a queue at once.

    `callback_base` is the URL under which providers reach `/callbacks/…`; if None, they are polled more often.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        runtime: Runtime,
        timeout: cdk.Duration,
        secret_arn: str,
        callback_base: str | None,
        concurrent_calls: int,
        concurrent_steps: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self.function = Function(
            self,
            "Generator",
            entry="generator",
            runtime=runtime,
            timeout=timeout,
            memory_size=512,  # a result of 32 MB as JSON is in memory as text and as numbers at the same time
            ephemeral_storage_size=cdk.Size.gibibytes(1),  # for binary results until they are in the bucket
            environment={"PROVIDER_SECRET_ID": secret_arn, **_callback_environment(callback_base)},
            sends_to_itself=True,  # a long poll or wait is a chain of messages, each of which ends with the job
        )
        self._allow(secret_arn)
        self._feed(runtime.calls, concurrent_calls)
        self._feed(runtime.steps, concurrent_steps)

    def _allow(self, secret_arn: str) -> None:
        self.function.allow_items(
            "GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"
        )
        # the result of a job that was deleted during the call is left to the sweeper
        self.function.allow_files("GetObject", "PutObject", prefix="jobs/")
        # a line of a batch takes its image along, and the batch's lines and images are erased once it is let in
        self.function.allow_files("GetObject", "PutObject", "DeleteObject", prefix="inputs/")
        self.function.allow_files("GetObject", "PutObject", "DeleteObject", prefix="batches/")
        self.function.allow_listing("jobs/", "inputs/", "batches/")
        self.function.allow_counting()  # a line is let in while few messages wait
        self.function.allow("secretsmanager:GetSecretValue", on=secret_arn)
        self.function.allow_sending()
        self.function.allow_telling()

    def _feed(self, queue: sqs.Queue, at_once: int) -> None:
        self.function.add_event_source(sources.SqsEventSource(queue, batch_size=1, max_concurrency=at_once))
        acknowledge(self.function, {"Serverless-LambdaEventSourceMappingDestination": REDRIVEN})


class Sweeper(Construct):
    """Once a minute, sends messages that were not sent in time and fails jobs past their deadline."""

    def __init__(self, scope: Construct, construct_id: str, *, runtime: Runtime) -> None:
        super().__init__(scope, construct_id)
        under_a_minute = cdk.Duration.seconds(50)
        self.function = Function(self, "Sweeper", entry="sweeper", runtime=runtime, timeout=under_a_minute)
        self.function.allow_querying("open")
        self.function.allow_items("GetItem", "PutItem", "UpdateItem", "DeleteItem")
        self.function.allow_files("GetObject", "DeleteObject", prefix="jobs/")
        self.function.allow_files("DeleteObject", prefix="inputs/")
        self.function.allow_listing("jobs/", "inputs/")
        self.function.allow_sending()
        self.function.allow_telling()
        self._run_every_minute()

    def _run_every_minute(self) -> None:
        # not repeated: the next sweep is a minute later
        sweep = targets.LambdaFunction(self.function, retry_attempts=0)
        every_minute = events.Schedule.rate(cdk.Duration.minutes(1))
        rule = events.Rule(self, "EveryMinute", schedule=every_minute, targets=[sweep])
        acknowledge(rule, {"Serverless-EventBusDLQ": "A missed sweep is no loss: the next one does the same work."})


class Deliverer(Construct):
    """Tells each end of a job to its webhook and to the event bus; `at_once` is the number of messages at once.

    `api_url` is told to webhooks, so that the paths in their bodies can be followed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        runtime: Runtime,
        root_arn: str,
        api_url: str | None,
        at_once: int,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = cdk.Stack.of(self)
        source = stack.stack_name.lower()
        known = {} if api_url is None else {"API_URL": api_url}
        self.function = Function(
            self,
            "Deliverer",
            entry="deliverer",
            runtime=runtime,
            timeout=LONGEST_DELIVERY,
            environment={"WEBHOOK_ROOT_ID": root_arn, "EVENT_SOURCE": source, **known},
        )
        self.function.allow_items("GetItem", "PutItem", "UpdateItem")
        self.function.allow("secretsmanager:GetSecretValue", on=root_arn)
        self.function.allow_telling()
        bus = stack.format_arn(service="events", resource="event-bus", resource_name="default")
        self.function.allow("events:PutEvents", on=bus, when={"ForAllValues:StringEquals": {"events:source": source}})
        self.function.add_event_source(sources.SqsEventSource(runtime.hooks, batch_size=1, max_concurrency=at_once))
        acknowledge(self.function, {"Serverless-LambdaEventSourceMappingDestination": REDRIVEN})


def _callback_environment(base: str | None) -> dict[str, str]:
    return {} if base is None else {"CALLBACK_BASE_URL": base}
