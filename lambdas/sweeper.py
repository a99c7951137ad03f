"""The scheduled function that finds jobs that are stuck and moves them on, and hooks that are still to be told."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from wiring import dependencies

logger = Logger()


def handler(_event: dict[str, Any], _context: LambdaContext) -> None:
    """Sweep every hook and every open job that is due. Raises after both if one could not be seen to."""
    logger.info("swept hooks", due=dependencies().hook_sweeper.sweep())
    logger.info("swept", due=dependencies().sweeper.sweep())
