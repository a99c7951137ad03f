"""`python -m tests.project.description`: docs/openapi.json and docs/reference.md describe today's API.

`--write` writes them, and refuses a change that breaks a client of the one before; `--breaking` writes it all the same.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.project import reference

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docs/openapi.json"
DAY = 86_400
_LOWER, _UPPER = ("minimum", "minLength", "minItems"), ("maximum", "maxLength", "maxItems")

_NONE = float("-inf")

Schema = Mapping[str, Any]


def main() -> int:
    """The exit status: 1 if the file is not today's, or today's would break a client."""
    parser = argparse.ArgumentParser(prog="python -m tests.project.description", description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--breaking", action="store_true")
    arguments = parser.parse_args()
    before, after = json.loads(FILE.read_text()), described()
    if before == after and reference.FILE.read_text() == reference.page(after):
        return 0
    found = [*breaking(before, after)]
    print("\n".join(found) or "docs/openapi.json or docs/reference.md is not today's: `make openapi` writes both")
    if arguments.write and (arguments.breaking or not found):
        FILE.write_text(f"{json.dumps(after, indent=1, ensure_ascii=False)}\n")
        reference.FILE.write_text(reference.page(after))
        return 0
    return 1


def described() -> Any:
    """The description of the API, with every model."""
    sys.path.insert(0, str(ROOT / "lambdas"))
    from longplay.domain.models_file import load_catalogue
    from longplay.http.openapi import openapi
    from longplay.providers import PROVIDERS

    catalogue = load_catalogue(PROVIDERS, servers={"*": "http://127.0.0.1/{model}"})
    return json.loads(json.dumps(openapi(catalogue, longest_deadline=DAY)))


def breaking(before: Schema, after: Schema) -> Iterator[str]:
    """The changes with which a client of the description before would fail, each in a sentence."""
    for path, operations in before["paths"].items():
        for verb, operation in operations.items():
            now = after["paths"].get(path, {}).get(verb)
            name = f"{verb.upper()} {path}"
            if now is None:
                yield f"{name} is gone"
            else:
                yield from _operation(name, operation, now, before, after)


def _operation(name: str, was: Schema, now: Schema, before: Schema, after: Schema) -> Iterator[str]:
    yield from _parameters(name, was, now, before, after)
    for old, new in zip(_bodies(was.get("requestBody")), _bodies(now.get("requestBody")), strict=False):
        yield from _taken(f"{name}: the body", old, new, before, after)
    for status, answer in was["responses"].items():
        if status not in now["responses"] and status.startswith("2"):
            yield f"{name} does not answer {status} any more"
        for old, new in zip(_bodies(answer), _bodies(now["responses"].get(status)), strict=False):
            yield from _given(f"{name}: the answer {status}", old, new, before, after)


def _parameters(name: str, was: Schema, now: Schema, before: Schema, after: Schema) -> Iterator[str]:
    old, new = ({(p["in"], p["name"]): p for p in operation["parameters"]} for operation in (was, now))
    for key, parameter in new.items():
        if parameter["required"] and not old.get(key, {"required": False})["required"]:
            yield f"{name} needs the parameter {key[1]}"
    for key, parameter in old.items():
        if key in new:
            yield from _taken(f"{name}: {key[1]}", parameter["schema"], new[key]["schema"], before, after)
        else:
            yield f"{name} has no parameter {key[1]} any more"


def _bodies(of: Schema | None) -> list[Schema]:
    return [content["schema"] for content in (of or {}).get("content", {}).values()]


def _taken(where: str, was: Schema, now: Schema, before: Schema, after: Schema) -> Iterator[str]:
    """For a document that is sent: nothing that was taken may be refused."""
    was, now = _resolved(was, before), _resolved(now, after)
    if lost := [word for word in was.get("enum", []) if word not in now.get("enum", was.get("enum", []))]:
        yield f"{where} does not take {', '.join(map(str, lost))} any more"
    if _types(was) - _types(now) and _types(now):
        yield f"{where} is of another type"
    narrower = [bound for bound in _LOWER if now.get(bound, _NONE) > was.get(bound, _NONE)]
    narrower += [bound for bound in _UPPER if now.get(bound, float("inf")) < was.get(bound, float("inf"))]
    yield from (f"{where} has a narrower {bound}" for bound in narrower)
    yield from (f"{where} needs {name}" for name in now.get("required", []) if name not in was.get("required", []))
    for name, member in was.get("properties", {}).items():
        if name in now.get("properties", {}):
            yield from _taken(f"{where}: {name}", member, now["properties"][name], before, after)
        elif "properties" in now:
            yield f"{where} does not take {name} any more"


def _given(where: str, was: Schema, now: Schema, before: Schema, after: Schema) -> Iterator[str]:
    """For a document that is answered: all that was there must be there."""
    was, now = _resolved(was, before), _resolved(now, after)
    if _types(now) - _types(was) and _types(was):
        yield f"{where} is of another type"
    for name, member in was.get("properties", {}).items():
        if name not in now.get("properties", {}):
            yield f"{where} has no {name} any more"
        elif name in was.get("required", []) and name not in now.get("required", []):
            yield f"{where} does not always have {name} any more"
        else:
            yield from _given(f"{where}: {name}", member, now["properties"][name], before, after)
    if "items" in was and "items" in now:
        yield from _given(f"{where}, each", was["items"], now["items"], before, after)


def _resolved(schema: Schema, description: Schema) -> Schema:
    name = schema.get("$ref", "").rpartition("/")[2]
    return description["components"]["schemas"].get(name, schema) if name else schema


def _types(schema: Schema) -> set[str]:
    kind = schema.get("type", [])
    return {kind} if isinstance(kind, str) else {*kind}


if __name__ == "__main__":
    sys.exit(main())
