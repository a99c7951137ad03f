"""docs/reference.md: the API and its error codes as a page to read; `make openapi` writes it from the description."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[2] / "docs/reference.md"
_BOUNDS = {"minimum": "from", "maximum": "to", "multipleOf": "in steps of", "maxLength": "up to"}
_HEAD = """# The API

`make openapi` makes this page from [openapi.json](openapi.json): edit the types in `lambdas/longplay/http/` instead.
Every request needs the header `x-api-key`, unless it says otherwise. Every refusal is a [Problem](#problem), whose
`detail` says what to do.
"""

Schema = Mapping[str, Any]


def page(description: Schema) -> str:
    """The page, in Markdown."""
    operations = (
        _operation(verb, path, operation)
        for path, verbs in description["paths"].items()
        for verb, operation in verbs.items()
    )
    schemas = description["components"]["schemas"]
    documents = (_document(name, schema) for name, schema in sorted(schemas.items()))
    return "\n\n".join([_HEAD.rstrip(), *operations, "## Error codes", _codes(), "## Documents", *documents]) + "\n"


def _codes() -> str:
    """Every code of a refusal; `GET /problems/{code}` has the same of each."""
    from longplay.domain.problem_texts import TEXTS, problems

    statuses = {kind.code: str(kind.status) for kind in problems()}
    rows = [
        (f"`{code}`", statuses.get(code, "API Gateway's own"), text.what, text.advice)
        for code, text in sorted(TEXTS.items())
    ]
    return _table(("Code", "Status", "", "What you can do"), rows)


def _operation(verb: str, path: str, operation: Schema) -> str:
    key = " No key is needed." if operation.get("security") == [] else ""
    parts = [f"## {verb.upper()} {path}", f"{operation['summary']}{key}"]
    if parameters := operation["parameters"]:
        rows = [(f"`{p['name']}`", p["in"], _type(p["schema"]), _text(p)) for p in parameters]
        parts.append(_table(("Parameter", "In", "Type", ""), rows))
    if body := operation.get("requestBody"):
        parts.append(f"The body is {_type(_schema(body))}.")
    answers = [(status, _answer(answer), _text(answer)) for status, answer in operation["responses"].items()]
    parts.append(_table(("Answer", "Document", ""), answers))
    return "\n\n".join(parts)


def _document(name: str, schema: Schema) -> str:
    parts = [f"### {name}", *([_text(schema)] if _text(schema) else [])]
    if "enum" in schema:
        parts.append(f"One of {', '.join(f'`{word}`' for word in schema['enum'])}.")
    if properties := schema.get("properties"):
        needed = schema.get("required", [])
        rows = [
            (f"`{key}`", "" if key in needed else "not always", _type(member), _text(member))
            for key, member in properties.items()
        ]
        parts.append(_table(("Member", "", "Type", ""), rows))
    return "\n\n".join(parts)


def _answer(answer: Schema) -> str:
    headers = ", ".join(f"`{name}`" for name in answer.get("headers", {}))
    document = _type(_schema(answer)) if answer.get("content") else ""
    return "; ".join(filter(None, (document, headers)))


def _schema(of: Schema) -> Schema:
    schema: Schema = next(iter(of["content"].values()))["schema"]
    return schema


def _type(schema: Schema) -> str:
    """A type in words, with its bounds and a link to its document."""
    if name := schema.get("$ref", "").rpartition("/")[2]:
        return f"[{name}](#{name.lower()})"
    if "enum" in schema:
        return _words([word for word in schema["enum"] if word is not None])
    if any(key in schema for key in ("anyOf", "allOf", "oneOf")):
        return " or ".join(_type(each) for key in ("anyOf", "allOf", "oneOf") for each in schema.get(key, []))
    kinds = schema.get("type", "any")
    kind = kinds if isinstance(kinds, str) else next(each for each in kinds if each != "null")
    if kind == "array" and "items" in schema:
        return f"list of {_type(schema['items'])}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {_type(schema['additionalProperties'])} by name"
    bounds = " ".join(f"{word} {schema[bound]:,.15g}" for bound, word in _BOUNDS.items() if bound in schema)
    return " ".join(filter(None, (schema.get("format", kind), bounds)))


def _words(words: list[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _text(of: Schema) -> str:
    return re.sub(r"\s+", " ", of.get("description", "")).strip()


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(_lines([heads, tuple("-" for _ in heads), *rows]))


def _lines(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
