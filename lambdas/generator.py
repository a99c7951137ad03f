"""The SQS consumer: one message moves one job, or one batch, one step."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from longplay.storage.outbox import is_about, read_note
from longplay.storage.queue import read_message
from wiring import dependencies

logger = Logger()


def handler(event: dict[str, Any], context: LambdaContext) -> None:
    """Move the job or batch of each message a step. After an exception, SQS delivers it again; three times at most."""
    for record in event["Records"]:
        remaining = context.get_remaining_time_in_millis() / 1000
        if is_about(record["body"], "batch"):
            note = read_note(record["body"], "batch")
            outcome = dependencies().batch_steps.advance(note, remaining=remaining)
            logger.info("step of a batch", batch=note.name, outcome=outcome)
        else:
            message = read_message(record["body"])
            outcome = dependencies().worker.advance(message, remaining=remaining)
            logger.info("step", job=message.job, route=message.route, outcome=outcome)
