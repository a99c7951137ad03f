"""The doctor's findings as a table for a terminal: a row per route, with the next step if it does not work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

#: The name of each column, and the name of its question in lambdas/longplay/providers/findings.py.
QUESTIONS = {
    "server": "server",
    "token": "token",
    "accepted": "accepted",
    "permitted": "permitted",
    "live": "live",
    "open": "open",
    "price": "price",
    "limit": "limit",
}
MARKS = {"yes": "yes", "no": "NO", "unknown": "?"}
NOT_ASKED, OFF = "–", "off"

LEGEND = "off: no server is set up   ?: could not be found out this time   –: not asked, or no free request answers it"
NO_LIMIT = (
    "No limit is set for {accounts}: put the limits of the account into the setting `limits`. Jobs then wait here "
    "instead of being refused by the provider."
)


def table(routes: Sequence[Row]) -> str:
    """The table with its legend, and notes on missing limits and models without a server."""
    lines = [
        *_aligned([_heading(), *map(_cells, routes)]),
        "",
        LEGEND,
        *_accounts_without_limit(routes),
        *_models_not_offered(routes),
    ]
    return "\n".join(lines)


def unserved(routes: Sequence[Row]) -> list[str]:
    """The models with a server but no route that works or may work; if no server is set up, all models."""
    served = {route["model"] for route in routes if route["works"] != "no"}
    wanted = [route for route in routes if _is_set_up(route)] or routes
    return [name for name in dict.fromkeys(route["model"] for route in wanted) if name not in served]


def not_offered(routes: Sequence[Row]) -> list[str]:
    """The models for which no server is set up."""
    offered = {route["model"] for route in routes if _is_set_up(route)}
    return [name for name in dict.fromkeys(route["model"] for route in routes) if name not in offered]


def _is_set_up(route: Row) -> bool:
    """Whether the operator has named a server for it; also true if its address cannot be used."""
    return bool(route["set_up"])


def _heading() -> list[str]:
    return ["model", "route", "works", *QUESTIONS, "next step"]


def _cells(route: Row) -> list[str]:
    if not _is_set_up(route):
        return [route["model"], route["route"], OFF, *[NOT_ASKED] * len(QUESTIONS), route["advice"]]
    found = [MARKS.get(route["findings"].get(question, ""), NOT_ASKED) for question in QUESTIONS.values()]
    return [route["model"], route["route"], MARKS[route["works"]], *found, route.get("advice") or ""]


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        yield "  ".join([*cells, row[-1]]).rstrip()


def _accounts_without_limit(routes: Sequence[Row]) -> list[str]:
    set_up = [route for route in routes if _is_set_up(route)]
    accounts = dict.fromkeys(route["account"] for route in set_up if route["findings"]["limit"] == "no")
    return [NO_LIMIT.format(accounts=", ".join(accounts))] if accounts else []


def _models_not_offered(routes: Sequence[Row]) -> list[str]:
    missing = not_offered(routes)
    return [f"Not offered, because no server is set up for them: {', '.join(missing)}."] if missing else []
