"""Routes that are closed for a while: models a server does not have, accounts whose token or credit was refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from longplay.domain.errors import FailureKind, ProviderError
from longplay.domain.settings import PAUSED
from longplay.storage.table import Table, WriteRefused

SECONDS_KEPT = 60.0
UNSERVED = 3_600.0  # seconds; Hugging Face tests anew each hour what has failed (its hub-docs, read 2026-08)

_ACCOUNT = frozenset({FailureKind.AUTH, FailureKind.CREDITS})
_ROUTE = {FailureKind.NOT_SERVED: UNSERVED, FailureKind.FORBIDDEN: PAUSED}


@dataclass(frozen=True)
class Circuit:
    """Until when (epoch seconds), and why, in words for a person."""

    until: float = 0.0
    why: str = ""


class Circuits:
    """What is closed, by account or by model and route: items that expire, remembered for a minute."""

    def __init__(self, table: Table, *, clock: Callable[[], float] = time.time) -> None:
        self._table = table
        self._clock = clock
        self._known: dict[str, tuple[float, Circuit]] = {}

    def closed(self, account: str, model: str, route: str) -> bool:
        """Whether calls by this route would be refused, as far as was known a minute ago."""
        return any(self._read(place).until > self._clock() for place in (account, f"{model}#{route}"))

    def met(self, account: str) -> Circuit | None:
        """What this very worker has lately been refused there; it is asked before every call, and reads nothing."""
        _, circuit = self._known.get(account, (0.0, Circuit()))
        return circuit if circuit.until > self._clock() else None

    def note(self, error: ProviderError, *, account: str, model: str, route: str) -> None:
        """Remember what a refusal says about its account, or about the model there."""
        if error.kind in _ACCOUNT:
            self._close(account, Circuit(self._clock() + PAUSED, error.message))
        elif error.kind in _ROUTE:
            self._close(f"{model}#{route}", Circuit(self._clock() + _ROUTE[error.kind], error.message))

    def _read(self, place: str) -> Circuit:
        fresh_until, circuit = self._known.get(place, (0.0, Circuit()))
        if self._clock() >= fresh_until:
            item = self._table.get(_key(place)) or {}
            circuit = Circuit(item.get("until", 0.0), item.get("why", ""))
            self._known[place] = (self._clock() + SECONDS_KEPT, circuit)
        return circuit

    def _close(self, place: str, circuit: Circuit) -> None:
        self._known[place] = (circuit.until, circuit)
        item = {"pk": _key(place), "until": circuit.until, "why": circuit.why, "expires_at": int(circuit.until) + 60}
        longer = "attribute_not_exists(pk) OR #until < :until"
        try:
            self._table.write(self._table.put("circuit", item, longer, until=circuit.until))
        except WriteRefused:
            return


def pauses(error: ProviderError) -> bool:
    """Whether it is the operator who has to act: the token, the credit or a permission was refused."""
    return error.kind in {*_ACCOUNT, FailureKind.FORBIDDEN}


def _key(place: str) -> str:
    return f"closed#{place}"
