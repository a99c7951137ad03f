"""Reads the parameters of a query: each is known, given once, and within its bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from longplay.domain.errors import InvalidParameter
from longplay.domain.texts import shown


def refuse_others(query: Mapping[str, Sequence[str]], *known: str) -> None:
    """Raises InvalidParameter for a parameter that is not known."""
    for name in query:
        if name not in known:
            raise InvalidParameter(shown(name), f"`{shown(name)}` is unknown; known are: {', '.join(known)}.")


def one(name: str, values: Sequence[str]) -> str:
    """The only value of a parameter; raises InvalidParameter for several."""
    if len(values) > 1:
        raise InvalidParameter(name, f"`{name}` is given {len(values)} times; give it once.")
    return values[0]


def whole_number(name: str, text: str, *, least: int, most: int) -> int:
    """The number; raises InvalidParameter unless it is within its bounds."""
    digits = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    if not digits or not least <= int(text) <= most:
        raise InvalidParameter(name, f"`{name}` must be a whole number from {least} to {most}.")
    return int(text)
