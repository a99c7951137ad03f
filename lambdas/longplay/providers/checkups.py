"""A checkup of one route: what can be learned about it without a generation."""

from __future__ import annotations

from collections.abc import Mapping
from pkgutil import resolve_name

from longplay.domain.errors import FailureKind, ProviderError
from longplay.domain.providers import ProviderEntry
from longplay.providers import PROVIDERS
from longplay.providers.findings import Finding, Found, Question, no, unknown
from longplay.providers.http_client import server_of
from longplay.providers.visits import Check, Checkup, Visit


def examine(visit: Visit, table: Mapping[str, ProviderEntry] = PROVIDERS) -> Mapping[Question, Found]:
    """The findings of a route; raises ProviderError if the address of its server cannot be used."""
    server_of(visit.call.url)
    return ask(resolve_name(table[visit.provider].checkup), visit)


def ask(checkup: Checkup, visit: Visit) -> Mapping[Question, Found]:
    """The answers in the order of the questions; nothing more is asked after a no."""
    found: dict[Question, Found] = {}
    for question, check in checkup.items():
        if answer := _answer(check, visit):
            found[question] = answer
            if answer.finding is Finding.NO:
                break
    return found


def _answer(check: Check, visit: Visit) -> Found | None:
    try:
        return check(visit)
    except ProviderError as error:
        return no(error.message) if error.kind is FailureKind.NO_TOKEN else unknown(error.message)
