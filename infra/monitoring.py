"""Alarms and the dashboard."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.functions.function import BaseFunction, Function

PERIOD = cdk.Duration.minutes(5)

#: Seconds a message about a hook may wait, its delay of at most 15 minutes included.
LONGEST_HOOK_WAIT = 1_200

#: The generator logs a refused account with these words, in the member `outcome`.
ACCOUNT_REFUSED = "account refused*"

#: The deliverer logs a webhook that it tells no more with these words.
GIVEN_UP = "given up*"
RAISE_QUOTA = "raise the AWS account's quota of concurrent executions."


class Monitoring(Construct):
    """Exposes `topic`, to which every alarm is sent, and from there to an e-mail address if one is given."""

    def __init__(self, scope: Construct, construct_id: str, *, email: str | None) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Alarms", enforce_ssl=True)
        # a topic policy replaces the default one, which lets CloudWatch publish
        self.topic.add_to_resource_policy(_cloudwatch_may_publish(self.topic))
        if email:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))

    def watch_functions(self, functions: Sequence[BaseFunction]) -> None:
        """Alarms when a function fails, and when Lambda refuses to run it because the concurrency is used up."""
        for function in functions:
            name = function.node.id
            errors = function.metric_errors(period=PERIOD, statistic="sum")
            self._alarm(f"{name}Errors", errors, above=0, meaning=f"{name} crashed or ran out of time: read its log.")
            throttles = function.metric_throttles(period=PERIOD, statistic="sum")
            self._alarm(f"{name}Throttles", throttles, above=0, meaning=f"Lambda refused to run {name}: {RAISE_QUOTA}")

    def watch_duration(self, function: Function, *, longest: float) -> None:
        """An alarm when a run takes more than `longest` seconds."""
        name = function.node.id
        duration = function.metric_duration(period=PERIOD, statistic="max")
        meaning = f"{name} nearly reached its timeout: check the server, or raise longest_call."
        self._alarm(f"{name}Duration", duration, above=1000 * longest, meaning=meaning)

    def watch_loops(self, generator: Function) -> None:
        """An alarm when Lambda ends a chain of messages although it is allowed to go on."""
        dropped = generator.metric("RecursiveInvocationsDropped", period=PERIOD, statistic="sum")
        meaning = "Lambda stopped jobs that poll or wait: allow recursive loops on the generator, as the stack does."
        self._alarm("LoopsDropped", dropped, above=0, meaning=meaning)

    def watch_accounts(self, generator: Function) -> None:
        """An alarm when a provider refuses the account: its jobs wait or take another route until the operator acts."""
        meaning = (
            "A provider refused a token, its rights, its credit or a call without one: `make doctor` says what to do."
        )
        self._watch_log(generator, "AccountRefused", ACCOUNT_REFUSED, meaning)

    def watch_queues(self, queues: Sequence[sqs.Queue], *, longest_wait: float) -> None:
        """An alarm when a message is older than `longest_wait` seconds."""
        for queue in queues:
            name = queue.node.id
            age = queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="max")
            meaning = f"Messages in {name} wait too long: check the server, or raise concurrent_{name.lower()}."
            self._alarm(f"{name}Age", age, above=longest_wait, meaning=meaning)

    def watch_hooks(self, queue: sqs.Queue) -> None:
        """An alarm when a webhook is told late because others are slow to answer."""
        age = queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="max")
        meaning = "Webhooks are told late: a receiver answers slowly, or raise concurrent_deliveries."
        self._alarm("HooksAge", age, above=LONGEST_HOOK_WAIT, meaning=meaning)

    def watch_given_up(self, deliverer: Function) -> None:
        """An alarm when a webhook or the event bus has taken nothing in all tries of a day."""
        meaning = (
            "A receiver failed for a day and is told no more: the log of Deliverer has the hook, and its owner can "
            "have it told again with POST /jobs/{id}/redeliver."
        )
        self._watch_log(deliverer, "WebhookGivenUp", GIVEN_UP, meaning)

    def watch_dead_letters(self, queue: sqs.Queue) -> None:
        """An alarm when the dead-letter queue contains a message."""
        meaning = "A message crashed its function three times: read it in the dead-letter queue."
        self._alarm("DeadLetters", _visible(queue), above=0, meaning=meaning)

    def show(self, functions: Sequence[BaseFunction], queues: Sequence[sqs.Queue]) -> None:
        """Adds the dashboard in CloudWatch."""
        invocations = [function.metric_invocations(label=function.node.id) for function in functions]
        errors = [function.metric_errors(label=function.node.id) for function in functions]
        durations = [function.metric_duration(label=function.node.id) for function in functions]
        waiting = [_visible(queue, label=queue.node.id) for queue in queues]
        first_row = [_graph("Invocations", invocations), _graph("Errors", errors)]
        second_row = [_graph("Duration", durations), _graph("Waiting messages", waiting)]
        cloudwatch.Dashboard(self, "Dashboard", widgets=[first_row, second_row])

    def _watch_log(self, function: Function, name: str, outcome: str, meaning: str) -> None:
        """An alarm when a function logs this outcome."""
        counted = function.log_group.add_metric_filter(
            name,
            filter_pattern=logs.FilterPattern.string_value("$.outcome", "=", outcome),
            metric_namespace=cdk.Stack.of(self).stack_name,
            metric_name=name,
        )
        self._alarm(name, counted.metric(period=PERIOD, statistic="sum"), above=0, meaning=meaning)

    def _alarm(self, construct_id: str, metric: cloudwatch.Metric, *, above: float, meaning: str) -> None:
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            metric=metric,
            threshold=above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=meaning,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))


def _cloudwatch_may_publish(topic: sns.Topic) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
        actions=["sns:Publish"],
        resources=[topic.topic_arn],
        conditions={"StringEquals": {"aws:SourceAccount": cdk.Stack.of(topic).account}},
    )


def _graph(title: str, metrics: list[cloudwatch.Metric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=metrics, width=12)


def _visible(queue: sqs.Queue, *, label: str | None = None) -> cloudwatch.Metric:
    return queue.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="max", label=label)
