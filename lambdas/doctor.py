"""The schedule's other function, and the operator's: looks whether every route would work, for nothing."""

from __future__ import annotations

from typing import Any

import msgspec
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from wiring import dependencies

logger = Logger()


def handler(_event: dict[str, Any], _context: LambdaContext) -> Any:
    """One round of checkups, kept for `GET /health` and answered to whoever has invoked this."""
    report = dependencies().doctor.round()
    logger.info("examined", works={f"{seen.model}/{seen.route}": seen.works for seen in report.routes})
    return msgspec.to_builtins(report)
