"""The usage of an owner: jobs that ended, and what they cost, counted when it is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import msgspec

from longplay.domain.query import whole_number

MOST_DAYS = 400
_NAMES = ("jobs", "succeeded", "failed", "canceled", "cached", "charged", "unknown")


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Jobs by their ends, and amounts in millionths of a dollar: surely charged, and possibly charged."""

    jobs: int = 0
    succeeded: int = 0
    failed: int = 0
    canceled: int = 0
    cached: int = 0
    charged: int = 0
    unknown: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in _NAMES})


@dataclass(frozen=True, kw_only=True)
class Counted:
    """The usage of one model on a day (UTC)."""

    day: date
    model: str
    usage: Usage


def total(counted: Iterable[Counted]) -> Usage:
    """All of them together."""
    return sum((each.usage for each in counted), Usage())


def by_model(counted: Iterable[Counted]) -> Mapping[str, Usage]:
    """The usage of each model, in the order of their names."""
    sums: dict[str, Usage] = {}
    for each in counted:
        sums[each.model] = sums.get(each.model, Usage()) + each.usage
    return dict(sorted(sums.items()))


def parse_days(text: str | None) -> int:
    """The number of days in a query, today included; raises InvalidParameter unless it is from 1 to 400."""
    return 1 if text is None else whole_number("days", text, least=1, most=MOST_DAYS)


def today(now: float) -> date:
    """The day (UTC) of epoch seconds."""
    return datetime.fromtimestamp(now, UTC).date()


def last_days(count: int, *, now: float) -> list[date]:
    """So many days, the latest first."""
    return [today(now) - timedelta(days=back) for back in range(count)]
