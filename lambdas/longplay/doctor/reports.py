"""The last round of checkups: what was found of every route, kept as one item in the table."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from longplay.domain import changes
from longplay.providers.checkups.findings import Finding, Question
from longplay.storage.table import Table, WriteRefused

KEY = "report"


@dataclass(frozen=True, kw_only=True)
class RouteReport:
    """What was found of one route, if its server is `set_up`; `advice` is for the operator, and no secret is in it.

    What is not among the findings was not asked, or no free call can tell.
    """

    model: str
    route: str
    provider: str
    account: str
    set_up: bool
    works: Finding
    findings: Mapping[Question, Finding]
    advice: str | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """One round, begun at `checked_at` (epoch seconds)."""

    checked_at: float
    routes: tuple[RouteReport, ...]


class Reports:
    """Rounds come one after the other; only the last is kept."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def keep(self, report: Report) -> None:
        """Put it in the place of an earlier one."""
        item = {"pk": KEY, "checked_at": report.checked_at, "report": msgspec.json.encode(report).decode()}
        try:
            self._table.write(self._table.put("report", item, changes.REPORT_KEEP, checked_at=report.checked_at))
        except WriteRefused:
            return  # a round that began later was done sooner

    def latest(self) -> Report | None:
        """The last round; None before the first, and where the last was one of another version."""
        item = self._table.get(KEY)
        with suppress(msgspec.ValidationError):
            return msgspec.json.decode(item["report"], type=Report) if item else None
        return None
