"""The function, scheduled or invoked by the operator, that checks every route without a paid call."""

from __future__ import annotations

from typing import Any

import msgspec
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from wiring import dependencies

logger = Logger()


def handler(_event: dict[str, Any], _context: LambdaContext) -> Any:
    """Run one round of checkups; store the report for `GET /health`, and return it."""
    report = dependencies().doctor.round()
    logger.info("examined", works={f"{route.model}/{route.route}": route.works for route in report.routes})
    return msgspec.to_builtins(report)
