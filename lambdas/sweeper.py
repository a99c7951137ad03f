"""The scheduled function that finds jobs and batches that are stuck and moves them on, and hooks still to be told."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from longplay.engine.outbox import OutboxSweeper
from wiring import dependencies

MARGIN = 5.0  # seconds for the last one, whose calls to AWS may be repeated

logger = Logger()


def handler(_event: dict[str, Any], context: LambdaContext) -> None:
    """Sweep the jobs that are due, then batches and hooks in the time that is left. A failure of one stops no other."""
    wired = dependencies()
    with ExitStack() as afterwards:
        afterwards.callback(lambda: _sweep("hooks", wired.hook_sweeper, context))
        afterwards.callback(lambda: _sweep("batches", wired.batch_sweeper, context))
        logger.info("swept", due=wired.sweeper.sweep())


def _sweep(what: str, sweeper: OutboxSweeper[Any], context: LambdaContext) -> None:
    left = context.get_remaining_time_in_millis() / 1000 - MARGIN
    logger.info(f"swept {what}", due=sweeper.sweep(seconds=left))
