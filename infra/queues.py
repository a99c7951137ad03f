"""The two queues that start the generator, so that slow calls never delay short steps, and the queue of hooks."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.functions.acknowledge import acknowledge

#: AWS advises six times the function's timeout for a queue that starts a function.
VISIBILITY_FACTOR = 6

#: The timeout of the function that tells a hook: a receiver has 15 s, and AWS's own calls come on top.
LONGEST_DELIVERY = cdk.Duration.seconds(35)

#: A message fails only if the function crashes; after the third crash it is no accident.
MAX_RECEIVE_COUNT = 3


class Queues(Construct):
    """Exposes `calls` (routes that keep the connection open), `steps` (submit and poll), and `work`, a list of both.

    `hooks` are told to webhooks. A message that crashed its function three times is moved to `dead`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, consumer_timeout: cdk.Duration, tls_only: bool) -> None:
        super().__init__(scope, construct_id)
        self._tls_only = tls_only
        self.dead = self._queue("Dead", retention_period=cdk.Duration.days(14))
        acknowledge(self.dead, {"Serverless-SQSRedrivePolicy": "It is the dead-letter queue itself."})
        self.calls = self._work("Calls", consumer_timeout)
        self.steps = self._work("Steps", consumer_timeout)
        self.hooks = self._work("Hooks", LONGEST_DELIVERY)
        self.work = [self.calls, self.steps]

    def _work(self, construct_id: str, consumer_timeout: cdk.Duration) -> sqs.Queue:
        return self._queue(
            construct_id,
            visibility_timeout=cdk.Duration.seconds(VISIBILITY_FACTOR * consumer_timeout.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead, max_receive_count=MAX_RECEIVE_COUNT),
        )

    def _queue(
        self,
        construct_id: str,
        *,
        visibility_timeout: cdk.Duration | None = None,
        retention_period: cdk.Duration | None = None,
        dead_letter_queue: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            construct_id,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=self._tls_only,
            visibility_timeout=visibility_timeout,
            retention_period=retention_period,
            dead_letter_queue=dead_letter_queue,
        )
