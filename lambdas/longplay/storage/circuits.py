"""Closed routes and accounts: a model its server does not have, an account whose token or credit was refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from longplay.domain import changes
from longplay.domain.errors import FailureKind, ProviderError
from longplay.domain.settings import PAUSED
from longplay.storage.table import Item, Table, WriteRefused

SECONDS_KEPT = 60.0
UNSERVED = 3_600.0  # seconds; Hugging Face tests a failed model again each hour (its hub-docs, read 2026-08)

_ACCOUNT = frozenset({FailureKind.AUTH, FailureKind.CREDITS})
_ROUTE = {FailureKind.NOT_SERVED: UNSERVED, FailureKind.FORBIDDEN: PAUSED, FailureKind.REFUSED: PAUSED}


@dataclass(frozen=True)
class Circuit:
    """Until when (epoch seconds), and why, in words for the operator. Callers are not shown it."""

    until: float = 0.0
    why: str = ""


class Circuits:
    """Closed accounts, and closed routes of a model: items that expire, remembered for a minute."""

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock
        self._known: dict[str, tuple[float, Circuit]] = {}

    def closed(self, account: str, model: str, route: str) -> bool:
        """Whether calls by this route would be refused, by what was known a minute ago."""
        return any(self._read(place).until > self._clock() for place in (account, f"{model}#{route}"))

    def of_account(self, account: str) -> Circuit | None:
        """The closure of an account as the table has it now, None if it is open."""
        return self._now(account)

    def of_route(self, model: str, route: str) -> Circuit | None:
        """The closure of a model on a route as the table has it now, None if it is open."""
        return self._now(f"{model}#{route}")

    def note(self, error: ProviderError, *, account: str, model: str, route: str) -> Circuit | None:
        """Remember a refusal that closes an account, or a model on a route. Returns the account's, if it is closed."""
        if error.kind in _ACCOUNT:
            return self._close(account, Circuit(self._clock() + PAUSED, error.message))
        if error.kind in _ROUTE:
            self._close(f"{model}#{route}", Circuit(self._clock() + _ROUTE[error.kind], error.message))
        return None

    def _now(self, place: str) -> Circuit | None:
        circuit = _circuit(self._table.get(_key(place)))
        return circuit if circuit.until > self._clock() else None

    def _read(self, place: str) -> Circuit:
        fresh_until, circuit = self._known.get(place, (0.0, Circuit()))
        if self._clock() >= fresh_until:
            circuit = _circuit(self._table.peek(_key(place)))
            self._known[place] = (self._clock() + SECONDS_KEPT, circuit)
        return circuit

    def _close(self, place: str, circuit: Circuit) -> Circuit:
        self._known[place] = (circuit.until, circuit)
        item = {"pk": _key(place), "until": circuit.until, "why": circuit.why, "expires_at": int(circuit.until) + 60}
        with suppress(WriteRefused):  # it is closed for longer already
            self._table.write(self._table.put("circuit", item, changes.CIRCUIT_OPEN, until=circuit.until))
        return circuit


def _circuit(item: Item | None) -> Circuit:
    return Circuit(item.get("until", 0.0), item.get("why", "")) if item else Circuit()


def pauses(error: ProviderError) -> bool:
    """Whether the operator has to act: the token, the credit or a permission was refused, or a token is missing."""
    return error.kind in {*_ACCOUNT, FailureKind.FORBIDDEN, FailureKind.REFUSED}


def _key(place: str) -> str:
    return f"closed#{place}"
