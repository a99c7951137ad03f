"""The SQS consumer: one message, one job, one step."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from longplay.storage.queue import read_message
from wiring import dependencies

logger = Logger()


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Take each message's job one step further; whatever is raised brings the message back, thrice at most."""
    for record in event["Records"]:
        message = read_message(record["body"])
        outcome = dependencies().worker.advance(message, remaining=context.get_remaining_time_in_millis() / 1000)
        logger.info("step", job=message.job, route=message.route, outcome=outcome)
