"""The table in docs/providers.md of parameters that a route cannot honor.

`python -m tests.harness.route_table` writes the table again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from longplay.domain.catalogue import Catalogue
from longplay.domain.models_file import load_catalogue
from longplay.providers import PROVIDERS

DOCUMENT = Path(__file__).parents[2] / "docs/providers.md"
_PLACE = re.compile(r"(?<=<!-- routes -->\n).*(?=<!-- /routes -->)", re.DOTALL)


def table(catalogue: Catalogue) -> str:
    """A row for each route that cannot honor all of its model's parameters."""
    return "".join(f"| {' | '.join(row)} |\n" for row in [_HEADING, ("-",) * len(_HEADING), *_rows(catalogue)])


def shown() -> str:
    """The table as the document has it."""
    found = _PLACE.search(DOCUMENT.read_text())
    return found[0] if found else ""


_HEADING = ("Model", "Route", "Ignores", "Takes the nearest of")


def _rows(catalogue: Catalogue) -> Iterator[tuple[str, ...]]:
    for model in catalogue.models.values():
        for route in model.routes:
            if route.ignores or route.approximates:
                yield f"`{model.name}`", f"`{route.name}`", ", ".join(route.ignores), ", ".join(route.approximates)


if __name__ == "__main__":
    DOCUMENT.write_text(_PLACE.sub(table(load_catalogue(PROVIDERS)), DOCUMENT.read_text()))
