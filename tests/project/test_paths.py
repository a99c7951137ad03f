"""Every path that a document names is in the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/glossary.md")),
    *(ROOT / "docs/decisions").glob("*.md"),
    *(ROOT / "docs/recipes").glob("*.md"),
]
_PATH = re.compile(r"`((?:\.ci|app|benchmarks|docs|infra|lambdas|local|tests)[/.][\w./-]*)`")
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_in_a_document_is_there(document: Path) -> None:
    """A path in backticks counts from the root, a link from the document."""
    text = document.read_text()
    named = {*(ROOT / path for path in _PATH.findall(text)), *(document.parent / link for link in _LINK.findall(text))}
    missing = {path.resolve().relative_to(ROOT).as_posix() for path in named if not path.exists()}
    assert missing == set()
