"""Receives SNS notices from SageMaker endpoints that a generation has ended."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from longplay.providers.sagemaker.locations import read_notice
from wiring import dependencies

logger = Logger()


def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Pass each notice on as a callback. After an exception, Lambda delivers the notice again, at most twice.

    Other messages are expected: SageMaker sends a test message when an endpoint is created or changed.
    """
    for record in event["Records"]:
        body = record["Sns"]["Message"].encode()
        notice = read_notice(body)
        outcome = dependencies().callbacks.notice("sagemaker", notice.attempt, body) if notice else "no notice"
        logger.info("notice", attempt=notice and notice.attempt, outcome=outcome)
