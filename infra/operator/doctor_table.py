"""What the doctor found, as a table for a terminal: a row a route, and what to do where it does not work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

#: A column's name, and the question it answers, as lambdas/longplay/providers/checkups/findings.py has it.
QUESTIONS = {
    "server": "server",
    "token": "token",
    "accepted": "accepted",
    "permitted": "permitted",
    "live": "live",
    "price": "price",
    "limit": "limit",
}
MARKS = {"yes": "yes", "no": "NO", "unknown": "?"}
NOT_TOLD, OFF = "–", "off"

LEGEND = "off: no server is set up   ?: could not be learned just now   –: not asked, or nothing free tells it"
LIMITLESS = (
    "No limit is set for {accounts}: put what the account allows into the setting `limits`, and jobs wait in line here "
    "instead of being refused there."
)


def table(routes: Sequence[Row]) -> str:
    """The whole of it."""
    lines = [*_aligned([_heading(), *map(_cells, routes)]), "", LEGEND, *_limitless(routes), *_unoffered(routes)]
    return "\n".join(lines)


def unserved(routes: Sequence[Row]) -> list[str]:
    """The models for which servers are set up, but none works, or may work; all models where there is no server."""
    served = {route["model"] for route in routes if route["works"] != "no"}
    wanted = [route for route in routes if _is_set_up(route)] or routes
    return [name for name in dict.fromkeys(route["model"] for route in wanted) if name not in served]


def not_offered(routes: Sequence[Row]) -> list[str]:
    """The models for which no server is set up."""
    offered = {route["model"] for route in routes if _is_set_up(route)}
    return [name for name in dict.fromkeys(route["model"] for route in routes) if name not in offered]


def _is_set_up(route: Row) -> bool:
    """One whose address cannot be used is meant to be."""
    return bool(route["set_up"])


def _heading() -> list[str]:
    return ["model", "route", "works", *QUESTIONS, "next step"]


def _cells(route: Row) -> list[str]:
    if not _is_set_up(route):
        return [route["model"], route["route"], OFF, *[NOT_TOLD] * len(QUESTIONS), route["advice"]]
    found = [MARKS.get(route["findings"].get(question, ""), NOT_TOLD) for question in QUESTIONS.values()]
    return [route["model"], route["route"], MARKS[route["works"]], *found, route.get("advice") or ""]


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        yield "  ".join([*cells, row[-1]]).rstrip()


def _limitless(routes: Sequence[Row]) -> list[str]:
    set_up = [route for route in routes if _is_set_up(route)]
    accounts = dict.fromkeys(route["account"] for route in set_up if route["findings"]["limit"] == "no")
    return [LIMITLESS.format(accounts=", ".join(accounts))] if accounts else []


def _unoffered(routes: Sequence[Row]) -> list[str]:
    missing = not_offered(routes)
    return [f"Not offered, as no server for them is set up: {', '.join(missing)}."] if missing else []
