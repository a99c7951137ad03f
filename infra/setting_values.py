"""What the text of a setting may be: each parser makes it a value, or says in a ValueError what would be right."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

Parser = Callable[[object], object]

#: A line's log of starts is one item in DynamoDB, read and written whole.
MOST_STARTS = 10_000
LONGEST_WINDOW = 366 * 24 * 3600

SERVERS = 'must be a JSON object of URLs, like {"router": "https://example.com/{model}"}'
LIMITS = (
    'must be a JSON object of limits by server, like {"router": {"windows": [[1, 2], [30, 3600]], "max_concurrent": 4}}'
)
WINDOWS = f"windows must be pairs [starts, seconds]: 1 to {MOST_STARTS} starts in more than 0 s and at most 366 days"
CAPS = 'must be a JSON object like {"usd": 20, "jobs": 500, "open_jobs": 50}'


def whole_number(lowest: int, highest: int) -> Callable[[object], int]:
    """A parser of whole numbers within these bounds."""

    def parse(value: object) -> int:
        if not re.fullmatch(r"\d+", str(value)) or not lowest <= int(str(value)) <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return int(str(value))

    return parse


def seconds(lowest: float, highest: float) -> Callable[[object], float]:
    """A parser of durations within these bounds."""

    def parse(value: object) -> float:
        number = _decoded(value)
        if not _is_number(number) or not lowest <= number <= highest:
            raise ValueError(f"must be a number of seconds from {lowest:g} to {highest:g}")
        return number

    return parse


def or_off(parse: Parser) -> Parser:
    """The same parser, to which `off` is no value at all."""

    def parse_or_off(value: object) -> object:
        if value in ("off", None):
            return None
        try:
            return parse(value)
        except ValueError as error:
            raise ValueError(f"{error}, or off") from error

    return parse_or_off


def one_of(*choices: str) -> Callable[[object], str]:
    """A parser of these words."""

    def parse(value: object) -> str:
        if value not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return str(value)

    return parse


def servers(value: object) -> Mapping[str, str]:
    """URLs by the server's name."""
    return {name: _checked(url, _is_url, SERVERS) for name, url in _object(value, SERVERS).items()}


def limits(value: object) -> Mapping[str, Mapping[str, object]]:
    """What each server's account allows: `windows` and `max_concurrent`, at least one of them."""
    return {server: _limit(server, limit) for server, limit in _object(value, LIMITS).items()}


def caps(value: object) -> Mapping[str, object]:
    """The most a day may bring: `usd`, `jobs`, `open_jobs`, any of them."""
    return _members("", _object(value, CAPS), CAP_MEMBERS)


def email(value: object) -> str:
    """An e-mail address."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", str(value)):
        raise ValueError("must be an e-mail address")
    return str(value)


def _limit(server: str, value: object) -> Mapping[str, object]:
    limit = _members(f"{server}: ", _object(value, f"{server}: {LIMITS}"), LIMIT_MEMBERS)
    if not limit:
        raise ValueError(f"{server}: no limit is given; leave the server out")
    return limit


def _members(place: str, given: Mapping[str, object], known: Mapping[str, Parser]) -> dict[str, object]:
    try:
        return {name: known[name](value) for name, value in given.items()}
    except KeyError as error:
        raise ValueError(f"{place}unknown key {error}: there are {', '.join(known)}") from None
    except ValueError as error:
        raise ValueError(f"{place}{error}") from error


def _windows(value: object) -> list[list[float]]:
    if not isinstance(value, list) or not value or not all(map(_is_window, value)):
        raise ValueError(WINDOWS)
    return value


def _is_window(value: object) -> bool:
    if not isinstance(value, list) or len(value) != 2 or not all(map(_is_number, value)):
        return False
    starts, length = value
    return isinstance(starts, int) and 1 <= starts <= MOST_STARTS and 0 < length <= LONGEST_WINDOW


def _named(name: str, parse: Parser) -> Parser:
    def parse_member(value: object) -> object:
        try:
            return parse(value)
        except ValueError as error:
            raise ValueError(f"{name} {error}") from error

    return parse_member


def _dollars(value: object) -> float:
    if not _is_number(value) or not 0 <= value <= 1_000_000:
        raise ValueError("must be a number of dollars from 0 to 1000000")
    return value


def _object(value: object, complaint: str) -> Mapping[str, object]:
    decoded = _decoded(value)
    if not isinstance(decoded, Mapping):
        raise ValueError(complaint)  # noqa: TRY004 - for an operator it is a wrong value
    return decoded


def _checked(value: object, holds: Callable[[object], bool], complaint: str) -> str:
    if not holds(value):
        raise ValueError(complaint)
    return str(value)


def _decoded(value: object) -> object:
    """What a JSON text says; in cdk.json a value may stand as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_url(value: object) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in ("http", "https") and bool(urlsplit(value).netloc)


LIMIT_MEMBERS = {"windows": _windows, "max_concurrent": _named("max_concurrent", whole_number(1, 1000))}
CAP_MEMBERS = {
    "usd": _named("usd", _dollars),
    "jobs": _named("jobs", whole_number(1, 1_000_000)),
    "open_jobs": _named("open_jobs", whole_number(1, 1_000_000)),
}
