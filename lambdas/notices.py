"""SNS's consumer: where SageMaker's endpoints say that a generation has ended."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from longplay.providers.sagemaker.locations import read_notice
from wiring import dependencies

logger = Logger()


def handler(event: dict[str, Any], _context: LambdaContext) -> None:
    """Pass each notice on as a hint; whatever is raised brings it back, twice at most.

    A message that is none is no fault: SageMaker tries its topics with one whenever an endpoint is made or changed.
    """
    for record in event["Records"]:
        body = record["Sns"]["Message"].encode()
        notice = read_notice(body)
        heard = dependencies().callbacks.notice("sagemaker", notice.attempt, body) if notice else "no notice"
        logger.info("notice", attempt=notice and notice.attempt, heard=heard)
