"""The check of words finds a listed word in prose, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project.words import ROOT, Rules, Text, hits, load_rules, rare_words, texts, tracked

RULES = Rules({"anew": "again", "of no use": "useless"}, {"What": "name the thing"}, (), frozenset({"sweeper"}))

MODULE = '''"""Starts anew."""

code = "anew"  # never anew
# a hint is of
# no use here
def f() -> str:
    """What it is."""
    return `anew`
'''.replace("`anew`", '"anew"')


def _lines(folder: Path, name: str, content: str) -> list[str]:
    (folder / name).write_text(content)
    return [line for text in texts(folder, [name]) for line in hits(text, RULES)]


def test_docstrings_and_comments_are_read_and_code_is_not(tmp_path: Path) -> None:
    """One error line per word, with the line on which it begins."""
    assert sorted(_lines(tmp_path, "module.py", MODULE)) == [
        "module.py:1: anew -> again",
        "module.py:3: anew -> again",
        "module.py:4: of no use -> useless",
        "module.py:7: a docstring opens with What -> name the thing",
    ]


@pytest.mark.parametrize("code", ["`anew`", "```\nanew\n```", "[this](anew.md)", "https://example.com/ anew-ish"])
def test_code_and_addresses_in_a_document_are_not_read(tmp_path: Path, code: str) -> None:
    """A document may quote a name."""
    assert _lines(tmp_path, "page.md", f"See\n{code}\n") == []


def test_a_phrase_may_run_over_the_end_of_a_line(tmp_path: Path) -> None:
    """A document is one text."""
    assert _lines(tmp_path, "page.md", "It is\nOf\nno use.") == ["page.md:2: of no use -> useless"]


def test_rare_words_are_counted_without_names_and_known_terms() -> None:
    """`befall` is rare; a class, a sweeper and words in backticks are not English to be judged."""
    found = [Text("a.py", 1, "The sweeper sees a ProviderError befall `befall` jobs.")]
    assert rare_words(found, RULES.known) == ({"befall": 1}, 6)


def test_every_unfinished_folder_is_there() -> None:
    """A folder that was moved or finished leaves the list."""
    files = tracked(ROOT)
    assert [name for name in load_rules().unfinished if not any(file.startswith(name) for file in files)] == []
