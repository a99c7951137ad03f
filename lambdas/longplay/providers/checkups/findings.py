"""What a checkup wants to know of a route, and what it can find."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Question(StrEnum):
    """In the order they are asked: what comes later needs a yes to what comes before."""

    SERVER = "server"
    TOKEN = "token"  # noqa: S105 - a question, not a password
    ACCEPTED = "accepted"
    PERMITTED = "permitted"
    LIVE = "live"
    PRICE = "price"
    LIMIT = "limit"


class Finding(StrEnum):
    """`unknown` is what could not be learned this time; another time it may."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Found:
    """An answer; `advice` is for the operator: what was seen and what to do next, never a token."""

    finding: Finding
    advice: str | None = None


YES = Found(Finding.YES)


def no(advice: str) -> Found:
    """It is not so, and this is what can be done about it."""
    return Found(Finding.NO, advice)


def unknown(advice: str) -> Found:
    """It could not be learned, for this reason."""
    return Found(Finding.UNKNOWN, advice)
