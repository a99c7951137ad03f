"""How often and how long a call to AWS is repeated after an error: the one place that decides what such an error means.

The SDK repeats a call a few times within a second or two. That is too short for a table that is throttled or a bucket
that answers SlowDown. `Patience` goes on from there. Before a provider is called, it waits a few seconds: the step can
be put off at no cost. After the provider's answer it waits until the invocation ends, because the answer may be paid
and exists only in this process. For a convenience (a statistic, a seat, a cooldown) it waits a second and goes on
without it.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from longplay.domain.errors import LongplayError, Unavailable

USUAL = 4.0  # seconds that a call may be repeated for
BRIEF = 1.0  # seconds for a convenience
_FIRST, _LONGEST = 0.02, 5.0  # seconds between two tries: doubles, with jitter

# Codes of AWS after which the same call may succeed, beside every answer with a status of 500 or more
# (DynamoDB "Error handling", S3 "Error responses", SQS "Common errors", 2026-11).
_PASSING = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "Throttling",
        "ThrottlingError",
        "RequestThrottled",
        "SlowDown",
        "InternalServerError",
        "InternalError",
        "ServiceUnavailable",
        "TransactionConflictException",
        "TransactionInProgressException",
        "RequestTimeout",
        "OperationAborted",
    }
)
# Reasons of a canceled transaction after which the same transaction may succeed.
PASSING_REASONS = frozenset(
    {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "InternalServerError"}
)

# A request that is wrong in itself: a fault of ours, which is raised as it is.
_WRONG = frozenset({"ValidationException", "InvalidParameterValue", "MissingParameter"})

T = TypeVar("T")
_log = logging.getLogger("longplay.aws")


class Conflict(LongplayError):
    """Other writes kept this one from happening, and nothing was written. `items` names the parts concerned."""

    def __init__(self, code: str, items: frozenset[str] = frozenset()) -> None:
        super().__init__(code)
        self.items = items


class Patience:
    """Repeats calls to AWS. All parts of a process that call AWS share one. Times are epoch seconds."""

    def __init__(self) -> None:
        self._invocation_ends: float | None = None
        self._until: float | None = None
        self._usual = USUAL

    @contextmanager
    def within(self, end: float) -> Iterator[None]:
        """In this block, the invocation may work until `end`."""
        self._invocation_ends = end
        try:
            yield
        finally:
            self._invocation_ends = self._until = None

    @contextmanager
    def paid(self) -> Iterator[None]:
        """In this block, every call is repeated until the invocation ends, after any error: only we have the answer."""
        before, self._until = self._until, self._invocation_ends
        try:
            yield
        finally:
            self._until = before

    def repeat(self, act: Callable[[], T]) -> T:
        """The result of `act`, repeated after passing errors. Raises Unavailable once the time is over.

        An error that says that our request is wrong is raised as it is.
        """
        ends, tries = self._ends(), 0
        while True:
            try:
                return act()
            except (ClientError, BotoCoreError, Conflict) as error:
                if _code(error) in _WRONG:
                    raise
                pause = min(_LONGEST, _FIRST * 2**tries) * random.uniform(0.5, 1)  # noqa: S311 - spreads, guards nothing
                if not (self._until or passes(error)) or time.time() + pause > ends:
                    raise Unavailable(_words(error)) from error
            tries += 1
            time.sleep(pause)

    def convenience(self, act: Callable[[], T], *, otherwise: T) -> T:
        """The result of `act`, or `otherwise` if AWS does not give it within a second. Nothing paid depends on it."""
        before = self._until, self._usual
        self._until, self._usual = None, BRIEF
        try:
            return act()
        except Unavailable as error:
            _log.warning("left out: %s", error.cause)
            return otherwise
        finally:
            self._until, self._usual = before

    def at_last(self, act: Callable[[], object]) -> None:
        """Do what is left once all that matters is stored: as patiently as the block allows, and not at any price."""
        try:
            act()
        except Unavailable as error:
            _log.warning("left undone: %s", error.cause)

    def _ends(self) -> float:
        return self._until or time.time() + self._usual


def passes(error: Exception) -> bool:
    """Whether the same call may succeed a little later."""
    if not isinstance(error, ClientError):
        return True
    return _code(error) in _PASSING or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500


def _code(error: Exception) -> str:
    return error.response["Error"].get("Code", "") if isinstance(error, ClientError) else ""


def _words(error: Exception) -> str:
    if isinstance(error, ClientError):
        return f"{error.operation_name}: {_code(error)}"
    return f"{type(error).__name__}: {error}"
