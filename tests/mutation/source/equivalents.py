"""Mutants that change nothing a test could see, each with the reason."""

from __future__ import annotations

from collections.abc import Mapping

from local.tools import ROOT
from tests.mutation.source.operators import Mutation

#: by file, its line, the text that is replaced, and what replaces it
EQUIVALENT: Mapping[tuple[str, str, str, str], str] = {
    (
        "engine/worker.py",
        "poll_at = self.clock() + min(max(_POLL_AGAIN, error.retry_after or 0), _POLL_AT_LAST)",
        "0",
        "1",
    ): "a poll is repeated after more than a second in any case",
    (
        "engine/sweeper.py",
        "due = takewhile(lambda _: self.clock() < now + LONGEST_RUN, self.jobs.due(now, most_waiting=MOST_WAITING))",
        "<",
        "<=",
    ): "a run may end one job earlier or later, in the very instant of its end",
    (
        "domain/schedule.py",
        "if waited < 0:",
        "<",
        "<=",
    ): "only in the very instant at which the job may start",
    (
        "domain/pacing.py",
        "_BUCKETS = 100  # in a window of more starts: at least so many, at most twice as many",
        "100",
        "101",
    ): "every window is kept with any number of buckets; only the size of the item changes",
    (
        "engine/ledger.py",
        "return True",
        "True",
        "False",
    ): "a seat that was given back is given back once more, which changes nothing",
    (
        "engine/followers.py",
        "if entry and not entry.outputs and entry.until > now:",
        ">",
        ">=",
    ): "only in the very instant at which the leader's time is over",
    (
        "domain/listing.py",
        "return hashlib.sha256(msgspec.json.encode([position, owner, filters], "
        'order="deterministic")).hexdigest()[:16]',
        "16",
        "17",
    ): "a seal of one digit more",
    (
        "engine/routing.py",
        "if len(routes) > 1:",
        ">",
        ">=",
    ): "the one route there is is taken whether it is open or not",
    (
        "domain/pacing.py",
        "if not self.log or self.forgotten > now:",
        ">",
        ">=",
    ): "a start that was forgotten up to this very instant has begun",
    (
        "domain/settings.py",
        "resend_after: Annotated[int, Meta(ge=1)] = 60",
        "60",
        "61",
    ): "a default of about a minute",
    (
        "domain/schedule.py",
        "waits_until = max(start, 0.0 if job.attempts else job.start_expected or 0.0)",
        "0.0",
        "1.0",
    ): "a start is in epoch seconds, far beyond both",
}


def reason(mutation: Mutation) -> str | None:
    """Why a mutant changes nothing, or None if it should be noticed."""
    line = (ROOT / mutation.path).read_text().splitlines()[mutation.line - 1].strip()
    file = mutation.path.removeprefix("lambdas/longplay/")
    found = EQUIVALENT.get((file, line, mutation.before, mutation.after))
    return f"equivalent: {found}" if found else None
