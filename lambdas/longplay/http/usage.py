"""The use case of a caller that asks what its jobs cost, and what room it has."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from longplay.domain.errors import Room
from longplay.domain.pacing import Limit, Window
from longplay.domain.settings import MILLION, Settings
from longplay.domain.usage import Counted, Usage, by_model, last_days, today, total
from longplay.http import documents
from longplay.http.documents import given, timestamp
from longplay.storage.budgets import Budgets
from longplay.storage.limiter import Limiter, LinesInView
from longplay.storage.usages import Usages


@dataclass(frozen=True, kw_only=True)
class UsageView:
    """Reads what was counted, and shows it. `clock` gives epoch seconds."""

    usages: Usages
    budgets: Budgets
    limiter: Limiter
    lines: LinesInView
    settings: Settings
    clock: Callable[[], float] = time.time

    def of(self, owner: str, *, days: int) -> documents.Usage:
        """The owner's usage today, this month and on each of the last days (UTC), and the room there is."""
        now = self.clock()
        shown = last_days(days, now=now)
        counted = [*self.usages.of_owner(owner, since=min(shown[-1], today(now).replace(day=1)))]
        month = [each for each in counted if each.day >= today(now).replace(day=1)]
        by_day = {day: [each for each in counted if each.day == day] for day in shown}
        return documents.Usage(
            today=_sums(by_day[shown[0]]),
            month=_sums(month),
            days=tuple(documents.DayUsage(day=str(day), usage=_sums(by_day[day])) for day in shown),
            caps=given(_caps(self.budgets.room(owner, now=now))),
            providers={name: self._outlook(name, limit, now) for name, limit in self.settings.limits.items()},
        )

    def _outlook(self, account: str, limit: Limit, now: float) -> documents.ProviderRoom:
        outlook = self.limiter.outlook(account, self.lines.line(account), now=now)
        return documents.ProviderRoom(
            next_slot_at=timestamp(outlook.next_start),
            starts_left=tuple(map(_window, limit.windows, outlook.left)),
        )


def _window(window: Window, left: int) -> documents.WindowRoom:
    return documents.WindowRoom(starts=window.starts, seconds=window.seconds, left=left)


def _caps(room: Room | None) -> documents.CapsLeft | None:
    if room is None:
        return None
    return documents.CapsLeft(
        usd_left=given(room.usd_left),
        held_usd=given(room.held_usd),
        jobs_left=given(room.jobs_left),
        open_jobs_left=given(room.open_jobs_left),
    )


def _sums(counted: list[Counted]) -> documents.UsageSums:
    models = {model: _sum(usage) for model, usage in by_model(counted).items()}
    return documents.UsageSums(**_members(total(counted)), by_model=models)


def _sum(usage: Usage) -> documents.UsageSum:
    return documents.UsageSum(**_members(usage))


def _members(usage: Usage) -> dict[str, Any]:
    counts = {name: getattr(usage, name) for name in ("jobs", "succeeded", "failed", "canceled", "cached")}
    return {**counts, "charged_usd": usage.charged / MILLION, "unknown_usd": usage.unknown / MILLION}
