"""What differs from stage to stage, and what an operator may set by `-c name=value`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

HOUR = 3600
DAY = 24 * HOUR

#: The settings that the functions hold too, with these defaults.
SHARED = ("default_deadline", "longest_deadline", "retention", "longest_call", "lease_margin", "resend_after")

#: Above what a function's 900 s allow with the margin taken off.
LONGEST_CALL_LIMIT = 800


class SettingsError(ValueError):
    """A setting that the stack cannot be built with: its name, what was wrong and what would be right."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One deployment of the stack. Durations are in seconds."""

    name: str
    #: Deployed to an emulator on this machine: reached by plain HTTP, run by this machine's Python, thrown away.
    emulated: bool = False

    #: The longest a provider's call may hold the line; the margin is for storing its result.
    longest_call: int = 300
    call_margin: int = 30
    lease_margin: int = 10
    resend_after: int = 60
    default_deadline: int = HOUR
    longest_deadline: int = DAY
    retention: int = 7 * DAY

    #: A new AWS account runs 10 functions at once; these leave four of them to the API and the sweeper.
    concurrent_calls: int = 4
    concurrent_steps: int = 2
    #: Of all callers together; twice as many may come at once.
    requests_per_second: int = 100

    #: Where a server answers: its name → URL template with an optional {model}.
    servers: Mapping[str, str] = field(default_factory=dict)
    alarm_email: str | None = None

    def __post_init__(self) -> None:
        if self.default_deadline > self.longest_deadline:
            raise SettingsError("default_deadline must not exceed longest_deadline")

    @property
    def stack_name(self) -> str:
        return "Longplay" if self.name == "prod" else f"Longplay-{self.name}"

    @property
    def generator_timeout(self) -> int:
        return self.longest_call + self.call_margin

    @property
    def longest_kept(self) -> int:
        """How long after its submission a job may still be read."""
        return self.longest_deadline + self.retention

    @property
    def runtime_settings(self) -> str:
        """The functions' SETTINGS: of what they share with the stack, all that is not as usual."""
        chosen = {name: getattr(self, name) for name in SHARED if getattr(self, name) != getattr(Stage, name)}
        return json.dumps(chosen | ({"servers": dict(self.servers)} if self.servers else {}), sort_keys=True)


#: `local` keeps the length of calls and little else; `test` lets a crash be seen to heal in seconds.
STAGES = {
    "prod": Stage(name="prod"),
    "local": Stage(name="local", emulated=True, longest_call=150, requests_per_second=2_000),
    "test": Stage(
        name="test",
        emulated=True,
        longest_call=15,
        call_margin=5,
        lease_margin=2,
        resend_after=5,
        requests_per_second=2_000,
    ),
}


def stage_from(context: Mapping[str, object]) -> Stage:
    """The stage that `-c stage=…` names (prod by default), with the settings given beside it.

    CDK's own keys in `context` (they hold a `:` or begin with `@`) are passed over.
    Raises SettingsError for an unknown stage or setting and for a value that cannot be used.
    """
    given = {name: value for name, value in context.items() if ":" not in name and not name.startswith("@")}
    stage = _named(given.pop("stage", "prod"))
    settings: dict[str, Any] = {name: _parsed(name, value) for name, value in given.items()}
    return replace(stage, **settings)


def _named(name: object) -> Stage:
    try:
        return STAGES[str(name)]
    except KeyError:
        raise SettingsError(f"unknown stage {name!r}: choose one of {', '.join(STAGES)}") from None


def _parsed(name: str, value: object) -> object:
    try:
        parse = PARSERS[name]
    except KeyError:
        raise SettingsError(f"unknown setting {name!r}: there are stage, {', '.join(PARSERS)}") from None
    try:
        return parse(value)
    except ValueError as error:
        raise SettingsError(f"{name}={value!r}: {error}") from error


def _whole_number(lowest: int, highest: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        if not re.fullmatch(r"\d+", str(value)) or not lowest <= int(str(value)) <= highest:
            raise ValueError(f"must be a whole number from {lowest} to {highest}")
        return int(str(value))

    return parse


def _servers(value: object) -> Mapping[str, str]:
    servers = _decoded(value) if isinstance(value, str) else value
    if not isinstance(servers, Mapping) or not all(_is_url(url) for url in servers.values()):
        raise ValueError('must be a JSON object of URLs, like {"router": "https://example.com/{model}"}')
    return servers


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return None


def _is_url(value: object) -> bool:
    return isinstance(value, str) and urlsplit(value).scheme in ("http", "https") and bool(urlsplit(value).netloc)


def _email(value: object) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", str(value)):
        raise ValueError("must be an e-mail address")
    return str(value)


#: Bounds: SQS takes event sources of 2 to 1,000 at once, and S3 keeps nothing for less than a day.
PARSERS: Mapping[str, Callable[[object], object]] = {
    "servers": _servers,
    "alarm_email": _email,
    "longest_call": _whole_number(1, LONGEST_CALL_LIMIT),
    "default_deadline": _whole_number(1, DAY),
    "longest_deadline": _whole_number(1, DAY),
    "retention": _whole_number(60, 365 * DAY),
    "concurrent_calls": _whole_number(2, 1000),
    "concurrent_steps": _whole_number(2, 1000),
    "requests_per_second": _whole_number(1, 10_000),
}
