"""Checks docstrings, comments and documents for words that this project does not use.

`python -m tests.project.words` prints one line for each such word and ends with 1 if there is any.
`python -m tests.project.words --rare [FOLDER]` prints the rare English words of FOLDER's docstrings and comments.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIST = Path(__file__).with_name("words.toml")
RARE_BELOW = 3.0  # Zipf frequency: 3.0 is once in a million words of English
_CODE = re.compile(r"^ *```.*?^ *```|`[^`]*`|<!--.*?-->|\]\([^)]*\)|https?://\S+", re.DOTALL | re.MULTILINE)
_MARK = re.compile(r"\b(noqa|type): ?[\w\[\], -]*")  # what a linter reads
_WORD = re.compile(r"(?<![\w./@'-])[A-Za-z]?[a-z]+(?![\w/@]|\.\w)")


@dataclass(frozen=True)
class Text:
    """A piece of prose and where it begins."""

    file: str
    line: int
    content: str
    is_docstring: bool = False

    @cached_property
    def prose(self) -> str:
        """The content with code and addresses blanked out; every character keeps its line."""
        return _CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), self.content)

    def line_of(self, position: int) -> int:
        """The line of the file on which this position of the content is."""
        return self.line + self.content.count("\n", 0, position)


@dataclass(frozen=True)
class Rules:
    """The list of words, as words.toml has it."""

    replacements: dict[str, str]
    openings: dict[str, str]
    unfinished: tuple[str, ...]
    known: frozenset[str]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """One expression for all words; the longer one wins, and a space also matches a line break."""
        longest_first = sorted(self.replacements, key=len, reverse=True)
        return re.compile(rf"(?<![\w-])({'|'.join(map(_spaced, longest_first))})(?![\w-])", re.IGNORECASE)


def load_rules(path: Path = LIST) -> Rules:
    """Reads words.toml."""
    table: dict[str, Any] = tomllib.loads(path.read_text())
    return Rules(table["replace"], table["openings"], tuple(table["unfinished"]), frozenset(table["known"].split()))


def texts(root: Path, names: Iterable[str]) -> Iterator[Text]:
    """The prose of these files: docstrings and comments of Python, whole Markdown documents."""
    for name in names:
        content = (root / name).read_text()
        yield from _python(name, content) if name.endswith(".py") else [Text(name, 1, content)]


def hits(text: Text, rules: Rules) -> Iterator[str]:
    """`file:line: word -> replacement` for each word of the list."""
    for found in rules.pattern.finditer(text.prose):
        word = " ".join(found[0].split()).lower()
        yield f"{text.file}:{text.line_of(found.start())}: {word} -> {rules.replacements[word]}"
    opening = text.content.strip().split(" ", 1)[0]
    if text.is_docstring and opening in rules.openings:
        yield f"{text.file}:{text.line}: a docstring opens with {opening} -> {rules.openings[opening]}"


def rare_words(found: Iterable[Text], known: frozenset[str]) -> tuple[Counter[str], int]:
    """How often each rare word occurs, and how many words there are in all."""
    counted = Counter(word.lower() for text in found for word in _WORD.findall(_MARK.sub("", text.prose)))
    rare = {word: times for word, times in counted.items() if word not in known and _is_rare(word)}
    return Counter(rare), counted.total()


def tracked(root: Path) -> list[str]:
    """The Python files and documents under version control, or below `root` where there is none."""
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=False)
    names = listed.stdout.split() or [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]
    return sorted(name for name in names if name.endswith((".py", ".md")) and (root / name).exists())


def _python(name: str, source: str) -> Iterator[Text]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and (docstring := ast.get_docstring(node, clean=False)):
                yield Text(name, first.lineno, docstring, is_docstring=True)
    yield from _comments(name, source)


def _comments(name: str, source: str) -> Iterator[Text]:
    """Comments on adjoining lines are one text, so that a phrase may run over the end of a line."""
    last, lines = 0, list[str]()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT:
            continue
        if lines and token.start[0] != last + 1:
            yield Text(name, last - len(lines) + 1, "\n".join(lines))
            lines = []
        last = token.start[0]
        lines.append(token.string.lstrip("#: "))
    if lines:
        yield Text(name, last - len(lines) + 1, "\n".join(lines))


def _spaced(phrase: str) -> str:
    return r"\s+".join(map(re.escape, phrase.split()))


def _is_rare(word: str) -> bool:
    from wordfreq import zipf_frequency

    return bool(zipf_frequency(word, "en") < RARE_BELOW)


def _check(rules: Rules) -> int:
    found = [(text.file, line) for text in texts(ROOT, tracked(ROOT)) for line in hits(text, rules)]
    errors = [line for file, line in found if not file.startswith(rules.unfinished)]
    print(*errors, sep="\n", end="\n" if errors else "")
    for folder in rules.unfinished:
        if not any(file.startswith(folder) for file, _ in found):
            print(f"note: {folder} is clean: take it out of `unfinished` in {LIST.relative_to(ROOT)}")
    return 1 if errors else 0


def _report(root: Path, rules: Rules) -> int:
    names = [name for name in tracked(root) if name.endswith(".py")]
    for group in (["lambdas", "infra", "local", "benchmarks"], ["tests"]):
        found = list(texts(root, (name for name in names if name.split("/")[0] in group)))
        rare, total = rare_words(found, rules.known)
        listed = sum(1 for text in found for _ in hits(text, rules))
        per = 10_000 / max(total, 1)
        print(f"{', '.join(group)}: {total} words; of 10,000, {rare.total() * per:.1f} rare, {listed * per:.1f} listed")
        print("  " + ", ".join(f"{word} {times}" for word, times in rare.most_common(60)))
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--rare"]:
        sys.exit(_report(Path(sys.argv[2]).resolve() if sys.argv[2:] else ROOT, load_rules()))
    sys.exit(_check(load_rules()))
