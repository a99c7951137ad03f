"""Reads the lines of a batch: a JSON array of objects, or JSONL with an object a line, and the query beside it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias, TypeVar

import msgspec

from longplay.domain.batches import MOST_LINES, RefusedLine, refused_line
from longplay.domain.body import LONGEST_BODY, decode_body, members, text_in
from longplay.domain.errors import InvalidParameter, InvalidRequest, Problem, TooLarge
from longplay.domain.query import one, refuse_others, whole_number
from longplay.domain.request import SHORTEST_DEADLINE
from longplay.domain.texts import text_of

LONGEST_ID = 64  # characters of a `custom_id`
ON_ERROR = ("reject", "skip")
_MOST_TOLD = 1_000  # faults of all lines together; beyond that the first one of each line
_DECODER = json.JSONDecoder(strict=False, object_pairs_hook=members)
_SPACE = " \t\r\n"
_HOW = "Send a JSON array of objects, or one JSON object a line (JSONL), each as for POST /generate."

T = TypeVar("T")
_Reading: TypeAlias = Callable[[], Mapping[str, Any]]


class BatchOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The query of a batch: whether lines that are not valid are skipped, and how long lines are let in (seconds)."""

    skip: bool
    deadline_seconds: int


def parse_options(query: Mapping[str, Sequence[str]], *, longest_deadline: int) -> BatchOptions:
    """The options in a query; raises InvalidParameter."""
    refuse_others(query, "on_error", "deadline_seconds")
    on_error = one("on_error", query.get("on_error", ["reject"]))
    if on_error not in ON_ERROR:
        raise InvalidParameter("on_error", f"`on_error` must be one of {', '.join(ON_ERROR)}.")
    text = one("deadline_seconds", query.get("deadline_seconds", [str(longest_deadline)]))
    least = min(SHORTEST_DEADLINE, longest_deadline)
    seconds = whole_number("deadline_seconds", text, least=least, most=longest_deadline)
    return BatchOptions(skip=on_error == "skip", deadline_seconds=seconds)


def read_lines(
    body: bytes, read: Callable[[int, Mapping[str, Any], str | None], T], *, skip: bool
) -> tuple[list[T | RefusedLine], list[str | None]]:
    """The results of `read` for each line, given its number from 0, its members and its `custom_id`; and all the ids.

    A line for which it raises a Problem is refused. Raises TooLarge, and InvalidRequest with the faults of all lines
    where one is refused, or with `skip` where all are.
    """
    ids: dict[str, int] = {}
    results: list[T | RefusedLine] = []
    custom_ids: list[str | None] = []
    for number, line in enumerate(_lines(body)):
        custom_ids.append(None)
        try:
            given = dict(line())
            custom_ids[number] = custom_id = _custom_id(given.pop("custom_id", None), ids, number)
            results.append(read(number, given, custom_id))
        except Problem as problem:
            results.append(refused_line(number, problem))
    refused = [result for result in results if isinstance(result, RefusedLine)]
    if refused and not (skip and len(refused) < len(results)):
        raise _refusal(refused, total=len(results))
    return results, custom_ids


def _lines(body: bytes) -> Iterator[_Reading]:
    """A function for each line that returns its members, or raises InvalidRequest."""
    if len(body) > LONGEST_BODY:
        raise TooLarge(f"The body has {len(body):,} bytes; the limit is {LONGEST_BODY:,}.", field="body")
    text = text_in(body)
    lines = _of_array(text) if text.lstrip(_SPACE).startswith("[") else _of_jsonl(text)
    if not lines:
        raise InvalidRequest("body", f"The body has no lines. {_HOW}", why="empty")
    if len(lines) > MOST_LINES:
        many = f"The body has more than {MOST_LINES:,} lines, which is the limit. Send several batches."
        raise InvalidRequest("body", many, why="too_long", maxItems=MOST_LINES)
    return iter(lines)


def _of_jsonl(text: str) -> list[_Reading]:
    def reading(line: str) -> _Reading:
        return lambda: decode_body(line.encode())

    lines = (line for line in io.StringIO(text, newline="\n") if line.strip(_SPACE))
    return [reading(line) for line in islice(lines, MOST_LINES + 1)]


def _of_array(text: str) -> list[_Reading]:
    """The members of an array cannot be told apart where one is not JSON, so that is a fault of the whole body."""
    found: list[_Reading] = []
    at = _behind(text, text.index("[") + 1)
    while (text[at : at + 1] != "]" or found) and len(found) <= MOST_LINES:
        value, at = _value(text, at, len(found))
        found.append(_object(value))
        at = _behind(text, at)
        if text[at : at + 1] == "]":
            return _ending(text, at, found)
        if text[at : at + 1] != ",":
            raise InvalidRequest("body", f"The body is not JSON behind line {len(found) - 1}. {_HOW}")
        at = _behind(text, at + 1)
    return found


def _ending(text: str, at: int, found: list[_Reading]) -> list[_Reading]:
    if text[at + 1 :].strip(_SPACE):
        raise InvalidRequest("body", f"The body goes on behind the end of the array. {_HOW}")
    return found


def _value(text: str, at: int, number: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except InvalidRequest as twice:
        raise InvalidRequest("body", f"Line {number}: {twice.detail}") from None
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("body", f"The body is not JSON at line {number}: {error}. {_HOW}") from error


def _object(value: Any) -> _Reading:
    def read() -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise InvalidRequest("body", "The line must be a JSON object, as for POST /generate.", why="wrong_type")
        return value

    return read


def _behind(text: str, at: int) -> int:
    """The next character that is no space."""
    while text[at : at + 1] and text[at] in _SPACE:
        at += 1
    return at


def _custom_id(value: Any, ids: dict[str, int], number: int) -> str | None:
    if value is None:
        return None
    custom_id = text_of("custom_id", value, longest=LONGEST_ID)
    if (first := ids.setdefault(custom_id, number)) != number:
        raise InvalidRequest("custom_id", f"`custom_id` is that of line {first} too; results are told apart by it.")
    return custom_id


def _refusal(refused: Sequence[RefusedLine], *, total: int) -> InvalidRequest:
    """The problem of a batch. Its pointers begin with the line's number."""
    told = [_faults_of(line) for line in refused]
    if sum(map(len, told)) > _MOST_TOLD:
        told = [faults[:1] for faults in told]
    advice = "all" if len(refused) == total else f"{len(refused):,} of {total:,}"
    skip = "" if len(refused) == total else " With `?on_error=skip` the others are taken."
    return InvalidRequest(
        "body",
        f"Of the lines, {advice} are not valid: see `errors`. Nothing was created or charged.{skip}",
        errors=[fault for faults in told for fault in faults],
    )


def _faults_of(line: RefusedLine) -> list[Mapping[str, Any]]:
    if not line.errors:
        return [{"pointer": f"#/{line.number}", "code": line.code, "detail": line.message}]
    return [{**fault, "pointer": f"#/{line.number}{str(fault['pointer'])[1:]}"} for fault in line.errors]
