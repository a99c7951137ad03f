"""What the documents say of the code is what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from longplay.domain.models_file import load_catalogue
from longplay.providers import PROVIDERS, TOKENS

from tests.harness.route_table import DOCUMENT, shown, table

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]


def test_the_routes_are_said_to_ignore_what_they_do() -> None:
    """`python -m tests.harness.route_table`, with lambdas/ on PYTHONPATH, writes the table anew."""
    assert shown() == table(load_catalogue(PROVIDERS))


def test_every_provider_of_the_catalogue_has_a_row() -> None:
    providers = {route.provider for model in load_catalogue(PROVIDERS).models.values() for route in model.routes}
    rows = re.findall(r"^\| ((?:`[\w-]+`(?:, )?)+)", DOCUMENT.read_text(), re.MULTILINE)
    assert providers <= set(re.findall(r"`([\w-]+)`", " ".join(rows)))


def test_every_token_that_can_be_stored_is_told_of() -> None:
    assert [name for name in TOKENS if f"PROVIDER={name}" not in DOCUMENT.read_text()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_place_a_document_points_to_is_there(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []
