"""The SQS consumer of hooks: one message tells one receiver one thing."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from longplay.storage.outbox import read_note
from wiring import dependencies

logger = Logger()


def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Tell the hook of each message. After an exception, SQS delivers it again; at most three times in all."""
    for record in event["Records"]:
        hook = read_note(record["body"], "hook").name
        logger.info("told", hook=hook, outcome=dependencies().deliverer.deliver(hook))
