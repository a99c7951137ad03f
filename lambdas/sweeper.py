"""The schedule's function: sees that no job is stuck."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from wiring import dependencies

logger = Logger()


def handler(_event: dict[str, Any], _context: LambdaContext) -> None:
    """See to every open job whose time has come."""
    logger.info("swept", due=dependencies().sweeper.sweep())
