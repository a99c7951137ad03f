"""The scheduled function that finds jobs that are stuck and moves them on, and hooks that are still to be told."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from wiring import dependencies

MARGIN = 5.0  # seconds for the last hook, whose calls to AWS may be repeated

logger = Logger()


def handler(_event: dict[str, Any], context: LambdaContext) -> None:
    """Sweep every open job that is due, then every hook, in the time that is left. A failure of one stops no other."""
    try:
        logger.info("swept", due=dependencies().sweeper.sweep())
    finally:
        left = context.get_remaining_time_in_millis() / 1000 - MARGIN
        logger.info("swept hooks", due=dependencies().hook_sweeper.sweep(seconds=left))
