"""Closed routes and accounts: a model its server does not have, an account whose token or credit was refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from longplay.domain import changes
from longplay.domain.errors import FailureKind, ProviderError
from longplay.domain.settings import PAUSED
from longplay.storage.table import Table, WriteRefused

SECONDS_KEPT = 60.0
UNSERVED = 3_600.0  # seconds; Hugging Face tests a failed model again each hour (its hub-docs, read 2026-08)

# The reasons are read by every owner whose job waits for the account, so they quote no answer to a call.
_ACCOUNT = {
    FailureKind.AUTH: "The provider does not accept this deployment's token. The operator stores another one with "
    "`make token`, and calls go on within five minutes.",
    FailureKind.CREDITS: "This deployment's account at the provider has no credits left. The operator can add some, "
    "and calls go on within five minutes.",
}
_ROUTE = {FailureKind.NOT_SERVED: UNSERVED, FailureKind.FORBIDDEN: PAUSED, FailureKind.REFUSED: PAUSED}


@dataclass(frozen=True)
class Circuit:
    """Until when (epoch seconds), and why, in words for every owner."""

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

    def note(self, error: ProviderError, *, account: str, model: str, route: str) -> Circuit | None:
        """Remember a refusal that closes an account, or a model on a route. Returns the account's, if it is closed."""
        if error.kind in _ACCOUNT:
            return self._close(account, Circuit(self._clock() + PAUSED, _ACCOUNT[error.kind]))
        if error.kind in _ROUTE:
            self._close(f"{model}#{route}", Circuit(self._clock() + _ROUTE[error.kind], error.kind))
        return None

    def _read(self, place: str) -> Circuit:
        fresh_until, circuit = self._known.get(place, (0.0, Circuit()))
        if self._clock() >= fresh_until:
            item = self._table.peek(_key(place)) or {}
            circuit = Circuit(item.get("until", 0.0), item.get("why", ""))
            self._known[place] = (self._clock() + SECONDS_KEPT, circuit)
        return circuit

    def _close(self, place: str, circuit: Circuit) -> Circuit:
        self._known[place] = (circuit.until, circuit)
        item = {"pk": _key(place), "until": circuit.until, "why": circuit.why, "expires_at": int(circuit.until) + 60}
        with suppress(WriteRefused):  # it is closed for longer already
            self._table.write(self._table.put("circuit", item, changes.CIRCUIT_OPEN, until=circuit.until))
        return circuit


def pauses(error: ProviderError) -> bool:
    """Whether the operator has to act: the token, the credit or a permission was refused, or a token is missing."""
    return error.kind in {*_ACCOUNT, FailureKind.FORBIDDEN, FailureKind.REFUSED}


def _key(place: str) -> str:
    return f"closed#{place}"
