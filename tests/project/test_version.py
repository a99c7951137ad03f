"""The version in pyproject.toml is the newest section of CHANGELOG.md."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path

from longplay.http.openapi.document import VERSION

ROOT = Path(__file__).parents[2]
SECTIONS = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_the_newest_section_is_the_version() -> None:
    """A reader of the changelog knows which version the checkout is."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert SECTIONS[0].split(" - ")[0] == version


def test_the_description_of_the_api_has_the_version() -> None:
    """A client that was made from it says which version it was made for."""
    assert SECTIONS[0].split(" - ")[0] == VERSION


def test_each_section_has_a_version_and_a_day() -> None:
    """`## 1.2.3 - 2026-01-31`, newest first."""
    found = [section.split(" - ") for section in SECTIONS]
    versions = [tuple(map(int, version.split("."))) for version, _ in found]
    days = [date.fromisoformat(day) for _, day in found]
    assert (versions, days) == (sorted(versions, reverse=True), sorted(days, reverse=True))
