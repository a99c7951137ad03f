"""How many answers are held back at once, by all functions together: a numbered place for each."""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from longplay.domain import changes
from longplay.storage.patience import Patience
from longplay.storage.table import Table, WriteRefused

_TRIES = 3  # places that are tried, so that an answer costs at most three writes to find none free
_A_PLACE = re.compile(r"(\d{1,3})-([0-9a-f]{16})", re.ASCII)


class Place(NamedTuple):
    """A place that is taken, and the token that shows whose it is."""

    number: int
    token: str

    def __str__(self) -> str:
        return f"{self.number}-{self.token}"


def read_place(text: str) -> Place | None:
    """The place that a text names; None for any other text."""
    named = _A_PLACE.fullmatch(text)
    return Place(int(named[1]), named[2]) if named else None


@dataclass(frozen=True)
class HeldAnswers:
    """`most` answers may be held at once. A place of a function that died is free again when its time is over.

    Without an answer of AWS within a second no place is taken or kept. Times are in epoch seconds.
    """

    table: Table
    patience: Patience
    most: int

    @contextmanager
    def one_more(self, *, now: float, until: float) -> Iterator[bool]:
        """Whether one more answer may be held in this block, at most until `until`."""
        place = self.take(now=now, until=until, tries=_TRIES)
        try:
            yield place is not None
        finally:
            if place is not None:
                self.leave(place, now=now)

    def take(self, *, now: float, until: float, tries: int) -> Place | None:
        """A place until then; None if none is found free in so many tries, each of which is a write."""
        places = [
            Place(number, secrets.token_hex(8)) for number in random.sample(range(self.most), min(tries, self.most))
        ]
        return self.patience.convenience(lambda: self._taken(places, now, until), otherwise=None)

    def keep(self, place: Place, *, until: float) -> bool:
        """Whether the place is still this one's, and is so until then."""
        return self.patience.convenience(lambda: self._moved(place, until), otherwise=False)

    def leave(self, place: Place, *, now: float) -> None:
        """Make the place free. If its time was over, another may have it, and keeps it."""
        self.patience.convenience(lambda: self._moved(place, now), otherwise=False)

    def _taken(self, places: Sequence[Place], now: float, until: float) -> Place | None:
        return next((place for place in places if self._take(place, now, until)), None)

    def _take(self, place: Place, now: float, until: float) -> bool:
        item = {"pk": _key(place), "token": place.token, "until": until, "expires_at": int(until) + 60}
        try:
            self.table.write(self.table.put("place", item, changes.ANSWER_HOLD, now=now))
        except WriteRefused as refused:
            return (refused.items["place"] or {}).get("token") == place.token  # a repeat of a write that came through
        return True

    def _moved(self, place: Place, until: float) -> bool:
        try:
            self.table.write(
                self.table.update("place", _key(place), changes.ANSWER_MOVE, token=place.token, until=until)
            )
        except WriteRefused:
            return False
        return True


def _key(place: Place) -> str:
    return f"held#{place.number}"
