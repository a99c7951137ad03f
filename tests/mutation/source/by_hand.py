"""Mutants made by hand: each breaks a promise in one line, and once no test of the project noticed it."""

from __future__ import annotations

from collections.abc import Iterator

from local.tools import ROOT
from tests.mutation.source.operators import Mutation

#: what breaks, the file, the line's text, and what replaces it
BY_HAND = (
    (
        "a deadline is ignored at admission",
        "engine/admission.py",
        "left if self.horizon is None else min(left, self.horizon)",
        "float('inf') if self.horizon is None else self.horizon",
    ),
    (
        "a promoted follower keeps its old start",
        "engine/admission.py",
        "replace(job, follows=None, not_before=now, wait=None)\n        while",
        "replace(job, follows=None, wait=None)\n        while",
    ),
    ("a dead cache entry is believed", "engine/admission.py", "entry is None or entry.until <= now", "entry is None"),
    (
        "room among the calls at once is kept after a failure",
        "engine/ledger.py",
        "if (change.ends or change.ends_call) and decision.seated",
        "if change.succeeds and decision.seated",
    ),
    (
        "a newer attempt is dropped when ledgers are merged",
        "domain/decisions.py",
        "paid.attempts[mine], *found.attempts[mine + 1 :]",
        "paid.attempts[mine]",
    ),
    (
        "the price of the first route is reserved, not the highest one",
        "engine/routing.py",
        "max((model.price_usd(route, request.parameters) for route in self._set_up(model)), default=0.0)",
        "next((model.price_usd(route, request.parameters) for route in self._set_up(model)), 0.0)",
    ),
    (
        "a model that loads does not move its line back",
        "domain/decisions.py",
        "(FailureKind.THROTTLED, FailureKind.LOADING)",
        "(FailureKind.THROTTLED,)",
    ),
    (
        "a line that moves back does not wait its window out",
        "domain/pacing.py",
        "max([line.resume_at, until, *waited_out])",
        "max([line.resume_at, until])",
    ),
    (
        "the old price is kept after a change of route",
        "domain/decisions.py",
        "replace(job, leg=leg, not_before=now, slot=None, wait=None)",
        "replace(job, leg=replace(leg, price_usd=job.leg.price_usd), not_before=now, slot=None, wait=None)",
    ),
)


def by_hand() -> Iterator[Mutation]:
    """These mutants; raises ValueError for one whose line is no longer in its file."""
    for _, name, before, after in BY_HAND:
        path = f"lambdas/longplay/{name}"
        data, text = (ROOT / path).read_bytes(), before.encode()
        start = data.index(text)
        yield Mutation(path, data.count(b"\n", 0, start) + 1, start, start + len(text), before, after)
