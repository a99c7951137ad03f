"""The questions of a checkup, and what can be found for each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Question(StrEnum):
    """A question about a route. They are asked in this order, and a no ends the checkup."""

    SERVER = "server"
    TOKEN = "token"  # noqa: S105 - a question, not a password
    ACCEPTED = "accepted"
    PERMITTED = "permitted"
    LIVE = "live"
    OPEN = "open"
    PRICE = "price"
    LIMIT = "limit"


class Finding(StrEnum):
    """The answer to a question; `unknown` means that it could not be learned this time."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Found:
    """A finding, with `advice` for the operator: what was seen and what to do next. It never contains a token."""

    finding: Finding
    advice: str | None = None


YES = Found(Finding.YES)


def no(advice: str) -> Found:
    """A no, with the step that can change it."""
    return Found(Finding.NO, advice)


def unknown(advice: str) -> Found:
    """An unknown, with the reason."""
    return Found(Finding.UNKNOWN, advice)
