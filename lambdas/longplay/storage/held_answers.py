"""How many answers are held back at once, by all functions together: a numbered place for each."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from longplay.domain import changes
from longplay.storage.patience import Patience
from longplay.storage.table import Table, WriteRefused

_TRIES = 3  # places that are tried, so that an answer costs at most three writes to find none free


@dataclass(frozen=True)
class HeldAnswers:
    """`most` answers may be held at once. A place of a function that died is free again when its time is over."""

    table: Table
    patience: Patience
    most: int

    @contextmanager
    def one_more(self, *, now: float, until: float) -> Iterator[bool]:
        """Whether one more answer may be held in this block, at most until `until` (epoch seconds).

        It may not if AWS does not say so within a second.
        """
        token = secrets.token_hex(8)
        key = self.patience.convenience(lambda: self._taken(token, now, until), otherwise=None)
        try:
            yield key is not None
        finally:
            if key is not None:
                self.patience.convenience(lambda: self._leave(key, token, now), otherwise=None)

    def _taken(self, token: str, now: float, until: float) -> str | None:
        places = random.sample(range(self.most), min(_TRIES, self.most))
        return next((key for key in map(_key, places) if self._take(key, token, now, until)), None)

    def _take(self, key: str, token: str, now: float, until: float) -> bool:
        item = {"pk": key, "token": token, "until": until, "expires_at": int(until) + 60}
        try:
            self.table.write(self.table.put("place", item, changes.ANSWER_HOLD, now=now))
        except WriteRefused as refused:
            return (refused.items["place"] or {}).get("token") == token  # a repeat of a write that came through
        return True

    def _leave(self, key: str, token: str, now: float) -> None:
        try:
            self.table.write(self.table.update("place", key, changes.ANSWER_RELEASE, token=token, now=now))
        except WriteRefused:
            return  # its time is over, and another has the place


def _key(place: int) -> str:
    return f"held#{place}"
