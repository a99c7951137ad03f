"""The JSON document of GET /health: which models work, and why others do not, by the last round of checkups."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from msgspec import UNSET, UnsetType

from longplay.doctor.reports import Report, RouteReport
from longplay.http.documents import Health, ModelHealth, RouteHealth, timestamp
from longplay.providers.findings import Finding, Question

#: Reasons as callers see them; the advice in a finding is only for the operator.
_WHY = {
    Question.SERVER: "not set up on this deployment",
    Question.TOKEN: "no token is stored",
    Question.ACCEPTED: "the token is refused",
    Question.PERMITTED: "the token does not permit it",
    Question.LIVE: "the model is not served there now",
    Question.OPEN: "it refused a call, and is tried again later",
}
_STALE = 3 * 3_600.0  # seconds; checkups run every hour
_UNKNOWN = "the last checkup could not find out"


def health_view(report: Report | None, *, now: float) -> Health:
    """`status` is ok, degraded (some offered models have no working route), down (no model has one), or unchecked.

    It is stale if the last round is more than three hours old. `now` is in epoch seconds.
    """
    if report is None:
        return Health(status="unchecked", models={})
    models = {name: _model([*routes]) for name, routes in groupby(report.routes, key=lambda route: route.model)}
    offered = {route.model for route in report.routes if route.set_up}
    found = [models[name].works for name in offered]
    status = "stale" if now - report.checked_at > _STALE else _status(found)
    return Health(status=status, checked_at=timestamp(report.checked_at), models=models)


def _status(found: Sequence[Finding]) -> str:
    broken = found.count(Finding.NO)
    if broken == len(found):
        return "down"
    return "degraded" if broken else "ok"


def _model(routes: Sequence[RouteReport]) -> ModelHealth:
    entries = tuple(RouteHealth(route=route.route, works=route.works, why=_why(route)) for route in routes)
    return ModelHealth(works=_best([route.works for route in routes]), routes=entries)


def _best(findings: Sequence[Finding]) -> Finding:
    return next((finding for finding in (Finding.YES, Finding.UNKNOWN) if finding in findings), Finding.NO)


def _why(route: RouteReport) -> str | UnsetType:
    if route.works is Finding.YES:
        return UNSET
    refused = next((question for question in _WHY if route.findings.get(question) is Finding.NO), None)
    return _WHY[refused] if refused else _UNKNOWN
