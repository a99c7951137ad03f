"""Reads a provider's refusal of any shape: its text, how long to wait, and the request id.

Nothing in it is trusted: control characters, markup and tokens are removed from texts, texts are cut, and waits are
bounded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from longplay.providers.http_client import LARGEST_REFUSAL, Answer

LONGEST_TEXT = 300  # characters
LONGEST_ID = 100  # characters
LONGEST_WAIT = 3_600.0  # seconds; a retry after an hour is always acceptable
LONGEST_LOADING = 120.0  # seconds; models announce longer than they take, and users saw some load forever

_TEXT_KEYS = ("error", "detail", "message", "msg", "title", "text", "errors")
_DEEPEST = 4
_MOST_PARTS = 5
_REQUEST_ID_HEADERS = ("x-request-id", "x-fal-request-id", "x-inference-id", "x-amzn-requestid", "x-amz-cf-id")
_TOKEN = re.compile(r"\b(?:hf|r8)_\w{6,}|\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}:\w{8,}|(?i:\bbearer\s+)\S+")
# URLs, S3 locations, hosts with a port, IP addresses, host names, files of the server
_PLACE = re.compile(
    r"\barn:\S+|\b[a-z][a-z0-9+.-]*://\S+|\b[\w.-]+:\d{2,5}\b(?!\.\d)|\b\d{1,3}(?:\.\d{1,3}){3}\b|\[token\]"
    r"|\b(?:[\w-]+\.)+(?:ai|app|cloud|co|com|dev|internal|invalid|io|local|net|org|run)\b|(?<!\S)/[\w.-]+(?:/[\w.-]+)+"
    r"|\blocalhost\b|`make [^`]*`",
    re.IGNORECASE,
)
_TITLE = re.compile(r"<title[^>]*>([^<]{0,200})", re.IGNORECASE)
_RESET = re.compile(r"\bt=(\d{1,9})\b")
_RESETS_IN = re.compile(r"\bresets in ~?(\d{1,9}) ?s", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A parsed refusal: `said` is its text, `retry_after` and `estimated_time` are in seconds or None."""

    status: int
    said: str
    retry_after: float | None
    estimated_time: float | None
    request_id: str | None


def read_refusal(answer: Answer, *, secret: str | None) -> Refusal:
    """Read a refusal from an answer; `secret`, the token that was sent, is removed if it is echoed."""
    with answer.body.open("rb") as file:
        body = file.read(LARGEST_REFUSAL).decode("utf-8", "replace")
    return refusal_with(_payload(body), answer, secret=secret)


def refusal_with(payload: Any, answer: Answer, *, secret: str | None) -> Refusal:
    """The refusal in an answer whose body has been decoded."""
    return Refusal(
        status=answer.status,
        said=printable(_said(answer, payload), secret=secret, longest=LONGEST_TEXT),
        retry_after=_retry_after(answer, payload),
        estimated_time=_bounded(_field(payload, "estimated_time"), LONGEST_LOADING),
        request_id=request_id(answer, secret=secret),
    )


def request_id(answer: Answer, *, secret: str | None) -> str | None:
    """The provider's id of the request, for questions to its support."""
    found = next((answer.headers[name] for name in _REQUEST_ID_HEADERS if name in answer.headers), "")
    return printable(found, secret=secret, longest=LONGEST_ID) or None


def printable(text: str, *, secret: str | None, longest: int) -> str:
    """Untrusted text on one line, without tokens, cut after `longest` characters."""
    # tokens are removed after control characters, which could split one, and before the cut, which could shorten one
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    without_secret = line.replace(secret, "[token]") if secret else line
    clean = _TOKEN.sub("[token]", without_secret)
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def for_callers(text: str) -> str:
    """A model's own words without the addresses, hosts, paths and ids in them, which are the operator's affair."""
    return _PLACE.sub("[…]", text)


def _payload(body: str) -> Any:
    """The JSON in a body, or the body itself if it is not JSON."""
    with suppress(msgspec.DecodeError, RecursionError):
        return msgspec.json.decode(body)
    return _page(body) if body.lstrip().startswith("<") else body


def _page(html: str) -> str:
    title = _TITLE.search(html)
    return f"an HTML page (“{title[1].strip()}”)" if title else "an HTML page"


def _said(answer: Answer, payload: Any) -> str:
    moved_to = answer.headers.get("location")
    return f"go to {moved_to}" if moved_to and 300 <= answer.status < 400 else _text(payload)


def _text(payload: Any, depth: int = 0) -> str:
    if isinstance(payload, str):
        return payload
    if depth == _DEEPEST:
        return ""
    if isinstance(payload, list):
        return "; ".join(filter(None, (_text(part, depth + 1) for part in payload[:_MOST_PARTS])))
    if isinstance(payload, dict):
        return _location(payload) + next(filter(None, _texts(payload, depth)), "")
    return ""


def _texts(payload: dict[str, Any], depth: int) -> Iterator[str]:
    return (_text(payload[key], depth + 1) for key in _TEXT_KEYS if key in payload)


def _location(payload: dict[str, Any]) -> str:
    """The location of an error as FastAPI servers report it: {"loc": ["body", "seed"], "msg": …}."""
    loc = payload.get("loc")
    return f"{'.'.join(map(str, loc[:_MOST_PARTS]))}: " if isinstance(loc, list) and loc else ""


def _retry_after(answer: Answer, payload: Any) -> float | None:
    """Seconds to wait, from Retry-After (seconds or a date), else RateLimit's reset, else the body's field or text."""
    header = answer.headers.get("retry-after", "")
    reset = _RESET.search(answer.headers.get("ratelimit", ""))
    in_text = _RESETS_IN.search(_text(payload))
    waits = (header, _seconds_until(header), reset and reset[1], _field(payload, "retry_after"), in_text and in_text[1])
    return next((bounded for wait in waits if (bounded := _bounded(wait, LONGEST_WAIT)) is not None), None)


def _seconds_until(date: str) -> float | None:
    with suppress(ValueError, OverflowError):
        moment = parsedate_to_datetime(date)
        zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return max((zoned - datetime.now(UTC)).total_seconds(), 0.0)
    return None


def _field(payload: Any, name: str) -> Any:
    return payload.get(name) if isinstance(payload, dict) else None


def _bounded(value: Any, most: float) -> float | None:
    """A server's value in seconds, at most `most`; None if it is not a finite number of at least zero."""
    with suppress(TypeError, ValueError, OverflowError):
        seconds = float(value)
        return min(seconds, most) if math.isfinite(seconds) and seconds >= 0 else None
    return None
