"""Longplay with one condition, or one side of an OR, taken out of one of its writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from longplay.storage import changes
from longplay.storage import jobs as job_table
from longplay.storage.changes import Change
from longplay.storage.jobs import Refused
from longplay.storage.limiter import Limiter
from longplay.storage.table import Table
from msgspec.structs import replace as replace_struct

OWN_TOKEN = "its own token is recognized"


@dataclass(frozen=True)
class Mutant:
    """`condition` of `change` is gone, and `left` is what stands in its place."""

    change: str
    condition: str
    whole: str = ""
    left: str = ""

    def __str__(self) -> str:
        return f"{self.change} without {self.condition}"

    def put_in(self, patch: pytest.MonkeyPatch) -> None:
        """From now on, until the patch is undone."""
        if self.condition == OWN_TOKEN:
            _OF_ANOTHER[self.change](patch)
        elif self.change in changes.CHANGES:
            patch.setattr(changes, self.change, self._without(changes.CHANGES[self.change]))
        else:
            self._rewrite_conditions_in_code(patch)

    def _without(self, change: Change) -> Change:
        kept = [self.left if condition == self.whole else condition for condition in change.conditions]
        return Change(change.update, tuple(filter(None, kept)))

    def _rewrite_conditions_in_code(self, patch: pytest.MonkeyPatch) -> None:
        for verb in ("put", "delete"):
            write = getattr(Table, verb)

            def without(table: Table, *args: Any, write: Any = write, **values: Any) -> Any:
                return write(table, *(self.left if arg == self.whole else arg for arg in args), **values)

            patch.setattr(Table, verb, without)


def mutants() -> Iterator[Mutant]:
    """Every condition there is, as a whole and by the sides of its OR."""
    for name, change in changes.CHANGES.items():
        for condition in change.conditions:
            yield from _of(name, condition)
    for name, condition in _IN_CODE:
        yield from _of(name, condition)
    yield from (Mutant(name, OWN_TOKEN) for name in _OF_ANOTHER)


def _of(name: str, condition: str) -> Iterator[Mutant]:
    yield Mutant(name, condition, whole=condition)
    if sides := re.fullmatch(r"\(?(.+) OR ([^)]+)\)?", condition):
        first, second = sides.groups()
        yield Mutant(name, first, whole=condition, left=second)
        yield Mutant(name, second, whole=condition, left=first)


def _jobs_do_not_know_their_own(patch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Refused(None)

    patch.setattr(job_table, "_own_success", refuse)


def _lines_do_not_know_their_own(patch: pytest.MonkeyPatch) -> None:
    learn = Limiter.learn

    def forget(limiter: Limiter, account: str, item: Any) -> None:
        learn(limiter, account, item)
        limiter._known[account] = replace_struct(limiter._known[account], token="")

    patch.setattr(Limiter, "learn", forget)


_IN_CODE = (
    ("JobTable.create", "attribute_not_exists(pk) OR expires_at <= :now"),
    ("ResultCache.drop", "#leader = :leader"),
    ("Limiter", "attribute_not_exists(pk)"),
    ("Limiter", "version = :seen"),
)
_OF_ANOTHER = {"JobTable": _jobs_do_not_know_their_own, "Limiter": _lines_do_not_know_their_own}
