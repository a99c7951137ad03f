"""A round of checkups: every route of every model is examined without a generation."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from longplay.doctor.reports import Report, Reports, RouteReport
from longplay.domain.catalogue import Catalogue, Model, Route
from longplay.domain.errors import ProviderError
from longplay.domain.settings import Settings
from longplay.providers.checkups import examine
from longplay.providers.findings import YES, Finding, Found, Question, no, unknown
from longplay.providers.inference_providers.mapping import ProviderMapping
from longplay.providers.protocol import Call
from longplay.providers.visits import Asker, Visit
from longplay.storage.circuits import Circuit, Circuits

SECONDS = 10.0  # the timeout of one request

_AFFECT_NO_CALL = (Question.PRICE, Question.LIMIT)


@dataclass(frozen=True, kw_only=True)
class Doctor:
    """Examines all routes of the catalogue with the servers of the settings, and stores a report."""

    catalogue: Catalogue
    settings: Settings
    reports: Reports
    circuits: Circuits
    read_token: Callable[[str], str | None]
    forget_tokens: Callable[[], None]
    clock: Callable[[], float] = time.time

    def round(self) -> Report:
        """The report of a new round, stored; no request in it costs money. Tokens are read from storage again."""
        checked_at = self.clock()
        self.forget_tokens()
        with tempfile.TemporaryDirectory() as folder:
            asker, mapping = Asker(Path(folder)), ProviderMapping()
            routes = tuple(
                self._examine(model, route, asker, mapping)
                for model in self.catalogue.models.values()
                for route in model.routes
            )
        report = Report(checked_at=checked_at, routes=routes)
        self.reports.keep(report)
        return report

    def _examine(self, model: Model, route: Route, asker: Asker, mapping: ProviderMapping) -> RouteReport:
        account, url = route.account, route.url
        visit = Visit(
            provider=route.provider,
            call=_call(model, route, url or "", asker.folder),
            read_token=self.read_token,
            asker=asker,
            mapping=mapping,
        )
        found = _found(visit) if url else {Question.SERVER: no(_how_to_set_up(route))}
        seen = {**found, **self._closed(model, route, found), **self._known(route, account)}
        return _report(model, route, account=account, set_up=url is not None, found=seen)

    def _closed(self, model: Model, route: Route, found: Mapping[Question, Found]) -> Mapping[Question, Found]:
        """A closure of the route or its account, as jobs meet it. An account that is accepted now opens soon."""
        if route.url is None:
            return {}
        if circuit := self.circuits.of_route(model.name, route.name):
            return {Question.OPEN: no(_closed_until(circuit))}
        if circuit := self.circuits.of_account(route.account):
            finding = unknown if found.get(Question.ACCEPTED) == YES else no
            return {Question.OPEN: finding(_closed_until(circuit))}
        return {Question.OPEN: YES}

    def _known(self, route: Route, account: str) -> Mapping[Question, Found]:
        return {
            Question.PRICE: YES
            if route.price_usd > 0 or route.free
            else no("Put its price into models.toml as `price_usd`."),
            Question.LIMIT: YES if account in self.settings.limits else no(_how_to_limit(account)),
        }


def _how_to_set_up(route: Route) -> str:
    if route.provider == "sagemaker":
        return "To use it, deploy with `-c gpu=…` (docs/recipes/your-own-gpu.md)."
    return f"To use it, put `{route.server}` into the setting servers (docs/providers.md)."


def _found(visit: Visit) -> Mapping[Question, Found]:
    try:
        return {Question.SERVER: YES, **examine(visit)}
    except ProviderError as error:
        return {Question.SERVER: no(error.message)}


def _closed_until(circuit: Circuit) -> str:
    until = datetime.fromtimestamp(circuit.until, UTC)
    return f"Jobs do not use it until {until:%H:%M} UTC, when the next one tries it again. A job learned: {circuit.why}"


def _how_to_limit(account: str) -> str:
    return f"It works. If the account of `{account}` has a quota, put it into the setting limits (README.md)."


def _call(model: Model, route: Route, url: str, folder: Path) -> Call:
    """The call of a job on this route, with only the parts that a checkup reads."""
    return Call(
        kind=model.kind,
        model=route.model,
        url=url,
        style=route.style,
        prompt="",
        parameters={},
        image=b"" if model.from_image else None,
        timeout=SECONDS,
        folder=folder,
        inputs=route.inputs,
    )


def _report(model: Model, route: Route, *, account: str, set_up: bool, found: Mapping[Question, Found]) -> RouteReport:
    decisive = [answer for question, answer in found.items() if question not in _AFFECT_NO_CALL]
    works = _worst(answer.finding for answer in decisive)
    return RouteReport(
        model=model.name,
        route=route.name,
        provider=route.provider,
        account=account,
        set_up=set_up,
        works=works,
        findings={question: answer.finding for question, answer in found.items()},
        advice=_advice(decisive, works) or (_advice(found.values(), Finding.NO) if works is Finding.YES else None),
    )


def _advice(found: Iterable[Found], finding: Finding) -> str | None:
    return next((answer.advice for answer in found if answer.finding is finding and answer.advice), None)


def _worst(findings: Iterable[Finding]) -> Finding:
    return max(findings, key=[Finding.YES, Finding.UNKNOWN, Finding.NO].index)
