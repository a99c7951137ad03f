"""The report of the last round of checkups, stored as one item in the table."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from longplay.domain import changes
from longplay.providers.findings import Finding, Question
from longplay.storage.table import Table, WriteRefused

KEY = "report"


@dataclass(frozen=True, kw_only=True)
class RouteReport:
    """The findings of one route, and whether its server is `set_up`. `advice` is for the operator, without secrets.

    A question without a finding was not asked, or no free call can answer it.
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
    """The report of one round that began at `checked_at` (epoch seconds)."""

    checked_at: float
    routes: tuple[RouteReport, ...]


class Reports:
    """Stores the report of the last round; an earlier report is overwritten."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def keep(self, report: Report) -> None:
        """Store a report, unless one of a later round is stored already."""
        item = {"pk": KEY, "checked_at": report.checked_at, "report": msgspec.json.encode(report).decode()}
        try:
            self._table.write(self._table.put("report", item, changes.REPORT_KEEP, checked_at=report.checked_at))
        except WriteRefused:
            return  # a round that began later has finished first

    def latest(self) -> Report | None:
        """The last report; None if there is none, or if another version of Longplay wrote it."""
        item = self._table.get(KEY)
        with suppress(msgspec.ValidationError):
            return msgspec.json.decode(item["report"], type=Report) if item else None
        return None
