"""Mutants that change nothing a test could see, each with the reason."""

from __future__ import annotations

from collections.abc import Mapping

from tests.mutation.source.operators import Mutation

#: by file, the text that is replaced, and what replaces it
EQUIVALENT: Mapping[tuple[str, str, str], str] = {}


def reason(mutation: Mutation) -> str | None:
    """Why a mutant changes nothing, or None if it should be noticed."""
    found = EQUIVALENT.get((mutation.path.removeprefix("lambdas/longplay/"), mutation.before, mutation.after))
    return f"equivalent: {found}" if found else None
