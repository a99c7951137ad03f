"""The SQS consumer: one message moves one job one step."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from longplay.storage.queue import read_message
from wiring import dependencies

logger = Logger()


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Move each message's job one step. After an exception, SQS delivers it again; at most three times in all."""
    for record in event["Records"]:
        message = read_message(record["body"])
        outcome = dependencies().worker.advance(message, remaining=context.get_remaining_time_in_millis() / 1000)
        logger.info("step", job=message.job, route=message.route, outcome=outcome)
