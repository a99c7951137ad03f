"""Mutants: Longplay with one condition, or one side of an OR, removed from one of its writes."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from longplay.domain import changes
from longplay.domain.changes import Change
from longplay.storage import jobs as job_table
from longplay.storage.jobs import Refused
from longplay.storage.limiter import Limiter
from msgspec.structs import replace as replace_struct

OWN_TOKEN = "its own token is recognized"


@dataclass(frozen=True)
class Mutant:
    """A change without one condition.

    `condition` is removed from the change named `change`. `whole` is the condition as the change states it: equal to
    `condition`, or an OR of which `condition` is one side. `left` is the text that takes the place of `whole`.
    """

    change: str
    condition: str
    whole: str = ""
    left: str = ""

    def __str__(self) -> str:
        return f"{self.change} without {self.condition}"

    def put_in(self, patch: pytest.MonkeyPatch) -> None:
        """Remove the condition until the patch is undone."""
        if self.condition == OWN_TOKEN:
            _WITHOUT_TOKEN[self.change](patch)
        else:
            patch.setattr(changes, self.change, self._without(changes.CHANGES[self.change]))

    def _without(self, change: Change) -> Change:
        kept = [self.left if condition == self.whole else condition for condition in change.conditions]
        return dataclasses.replace(change, conditions=tuple(filter(None, kept)))


def mutants() -> Iterator[Mutant]:
    """A mutant for every condition, and one for each side of a condition that is an OR."""
    for name, change in changes.CHANGES.items():
        for condition in change.conditions:
            yield from _of(name, condition)
    yield from (Mutant(name, OWN_TOKEN) for name in _WITHOUT_TOKEN)


def _of(name: str, condition: str) -> Iterator[Mutant]:
    yield Mutant(name, condition, whole=condition)
    if sides := re.fullmatch(r"\(?(.+) OR ([^)]+)\)?", condition):
        first, second = sides.groups()
        yield Mutant(name, first, whole=condition, left=second)
        yield Mutant(name, second, whole=condition, left=first)


def _jobs_do_not_recognize_tokens(patch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Refused(None)

    patch.setattr(job_table, "_own_success", refuse)


def _limiters_do_not_recognize_tokens(patch: pytest.MonkeyPatch) -> None:
    learn = Limiter.learn

    def forget(limiter: Limiter, account: str, item: Any) -> None:
        learn(limiter, account, item)
        limiter._known[account] = replace_struct(limiter._known[account], token="")

    patch.setattr(Limiter, "learn", forget)


_WITHOUT_TOKEN = {"JobTable": _jobs_do_not_recognize_tokens, "Limiter": _limiters_do_not_recognize_tokens}
