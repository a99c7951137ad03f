"""How the command ends: an exit status for each kind of error, and the words for a person."""

from __future__ import annotations

from enum import IntEnum

from longplay.errors import (
    DownloadFailed,
    JobFailed,
    KeyRefused,
    LongplayError,
    NoKey,
    Refused,
    StillWaiting,
    Unreachable,
)


class Exit(IntEnum):
    """The exit statuses."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REFUSED = 3
    KEY = 4
    UNREACHABLE = 5
    WAITING = 6
    INTERRUPTED = 130


#: The first that fits.
_ENDS: tuple[tuple[type[LongplayError], Exit], ...] = (
    (NoKey, Exit.KEY),
    (KeyRefused, Exit.KEY),
    (Refused, Exit.REFUSED),
    (Unreachable, Exit.UNREACHABLE),
    (StillWaiting, Exit.WAITING),
    (JobFailed, Exit.FAILED),
    (DownloadFailed, Exit.FAILED),
)
_COSTS = {"no": "It cost nothing.", "yes": "It was charged.", "unknown": "It is not known whether it cost anything."}


def status_of(error: Exception) -> Exit:
    """The exit status after this error."""
    return next((status for kind, status in _ENDS if isinstance(error, kind)), Exit.FAILED)


def words_of(error: Exception) -> str:
    """The words for a person: what happened, what it cost, and what to do next."""
    match error:
        case KeyRefused():
            return "The key is not accepted. Run `longplay login`, or ask the operator for a new one."
        case Refused():
            return f"{error.detail} {_COSTS.get(error.charged, '')}".strip()
        case StillWaiting():
            return f"{error} It goes on: longplay get {error.job.id} --wait 60"
        case OSError():
            return f"{error.filename or 'A file'}: {error.strerror or error}."
        case _:
            return str(error)
