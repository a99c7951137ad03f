"""What a setting's value may be: each parser takes it in, or says in a ValueError what would be right."""

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
MILLION = 1_000_000

SERVERS = 'must be a JSON object of URLs, like {"router": "https://example.com/{model}"}'
LIMITS = 'must be a JSON object, like {"router": {"windows": [[1, 2], [30, 3600]], "max_concurrent": 4}}'
WINDOWS = f"must be pairs [starts, seconds], with 1 to {MOST_STARTS} starts and at most {LONGEST_WINDOW} seconds"
GPU = 'must be a JSON object of instance types, like {"musicgen-small": "ml.g5.xlarge"}'
IMAGE = "must be an image in ECR, like 111122223333.dkr.ecr.eu-central-1.amazonaws.com/repository:tag"
CAPS = 'must be a JSON object, like {"usd": 20, "jobs": 500, "open_jobs": 50}'


def whole_number(lowest: int, highest: int) -> Parser:
    """Takes whole numbers within these bounds."""

    def parse(value: object) -> int:
        if not re.fullmatch(r"\d+", str(value)) or not lowest <= int(str(value)) <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return int(str(value))

    return parse


def number(lowest: float, highest: float) -> Parser:
    """Takes numbers within these bounds."""

    def parse(value: object) -> float:
        given = _number(_decoded(value))
        if given is None or not lowest <= given <= highest:
            raise ValueError(f"must be a number from {lowest:.15g} to {highest:.15g}")
        return given

    return parse


def or_off(parse: Parser) -> Parser:
    """Takes what `parse` does, and `off` for None."""

    def parse_or_off(value: object) -> object:
        if value in ("off", None):
            return None
        try:
            return parse(value)
        except ValueError as error:
            raise ValueError(f"{error}, or off") from error

    return parse_or_off


def one_of(*words: str) -> Parser:
    """Takes these words."""

    def parse(value: object) -> str:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return str(value)

    return parse


def yes_or_no(value: object) -> bool:
    """Takes `true` and `false`."""
    given = _decoded(value)
    if not isinstance(given, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - to an operator it is a wrong value
    return given


def email(value: object) -> str:
    """Takes an e-mail address."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", str(value)):
        raise ValueError("must be an e-mail address")
    return str(value)


def servers(value: object) -> Mapping[str, object]:
    """Takes URLs by server."""
    given = _object(value, SERVERS)
    if not all(_is_url(url) for url in given.values()):
        raise ValueError(SERVERS)
    return given


def limits(value: object) -> Mapping[str, object]:
    """Takes limits by server."""
    return {server: _within(server, limit, given) for server, given in _object(value, LIMITS).items()}


def limit(value: object) -> Mapping[str, object]:
    """Takes what one account allows: `windows`, `max_concurrent` or both."""
    given = _object(value, LIMITS)
    if not given:
        raise ValueError(LIMITS)
    return _members(given, {"windows": _windows, "max_concurrent": whole_number(1, 1000)})


def gpu(*models: str) -> Parser:
    """Takes instance types by model, any of these."""

    def parse(value: object) -> Mapping[str, object]:
        return _members(_object(value, GPU), dict.fromkeys(models, _instance_type))

    return parse


def image(value: object) -> str:
    """Takes the address of a container's image."""
    if not re.fullmatch(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/[a-z0-9/._-]+:[\w.-]+", str(value)):
        raise ValueError(IMAGE)
    return str(value)


def caps(value: object) -> Mapping[str, object]:
    """Takes the most a day may bring: any of `usd`, `jobs` and `open_jobs`."""
    count = whole_number(1, MILLION)
    return _members(_object(value, CAPS), {"usd": number(0, MILLION), "jobs": count, "open_jobs": count})


def _members(given: Mapping[str, object], known: Mapping[str, Parser]) -> Mapping[str, object]:
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f"unknown key {unknown[0]!r}: there are {', '.join(known)}")
    return {name: _within(name, known[name], value) for name, value in given.items()}


def _within(place: str, parse: Parser, value: object) -> object:
    try:
        return parse(value)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def _instance_type(value: object) -> str:
    if not re.fullmatch(r"ml\.[a-z0-9-]+\.[a-z0-9]+", str(value)):
        raise ValueError("must be an instance type, like ml.g5.xlarge")
    return str(value)


def _windows(value: object) -> object:
    if not isinstance(value, list) or not value or not all(map(_is_window, value)):
        raise ValueError(WINDOWS)
    return value


def _is_window(value: object) -> bool:
    match value:
        case [int() as starts, length] if 1 <= starts <= MOST_STARTS and not isinstance(starts, bool):
            return 0 < (_number(length) or 0) <= LONGEST_WINDOW
    return False


def _object(value: object, complaint: str) -> Mapping[str, object]:
    given = _decoded(value)
    if not isinstance(given, Mapping):
        raise ValueError(complaint)  # noqa: TRY004 - to an operator it is a wrong value
    return given


def _decoded(value: object) -> object:
    """What a JSON text says; in cdk.json a value may stand as it is."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError:
        return None


def _number(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return value


def _is_url(value: object) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in ("http", "https") and bool(urlsplit(value).netloc)
