"""The function that checks whether every route would work, hourly and when the operator asks."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra.functions.acknowledge import acknowledge
from infra.functions.function import Function, Runtime

#: A round makes a few dozen requests; a server that does not answer costs 8 s, once.
LONGEST_ROUND = cdk.Duration.minutes(5)


class Doctor(Construct):
    """May read the tokens and the closed routes, and store the findings; it generates nothing."""

    def __init__(self, scope: Construct, construct_id: str, *, runtime: Runtime, secret_arn: str) -> None:
        super().__init__(scope, construct_id)
        self.function = Function(
            self,
            "Doctor",
            entry="doctor",
            runtime=runtime,
            timeout=LONGEST_ROUND,
            environment={"PROVIDER_SECRET_ID": secret_arn},
        )
        self.function.allow_items("GetItem", "PutItem")
        self.function.allow("secretsmanager:GetSecretValue", on=secret_arn)
        self._run_hourly()

    def _run_hourly(self) -> None:
        # not repeated: the next round is an hour later
        check = targets.LambdaFunction(self.function, retry_attempts=0)
        rule = events.Rule(self, "Hourly", schedule=events.Schedule.rate(cdk.Duration.hours(1)), targets=[check])
        acknowledge(rule, {"Serverless-EventBusDLQ": "A missed round is no loss: the next one checks the same."})
