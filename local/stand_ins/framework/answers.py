"""Answers of a stand-in, and refusals in the real server's words."""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A response. `length` overrides the true Content-Length; a `raw` body replaces the status line and headers too."""

    status: int = 200
    content_type: str = "application/json"
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    raw: bool = False


class Refused(Exception):
    """A request is refused; `answer` says why, in the real server's words."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.body)
        self.answer = answer


def says(status: int, body: Any, **headers: str) -> Answer:
    """A JSON answer."""
    return Answer(status=status, body=json.dumps(body).encode(), headers=headers)


def refuse(error: Any, status: int = 400) -> NoReturn:
    """Raise Refused with this error."""
    raise Refused(says(status, {"error": error}))


def decode_image(text: object) -> bytes | None:
    """The bytes of a data URI or of plain base64; None if it is neither."""
    if not isinstance(text, str):
        return None
    encoded = re.sub(r"^data:image/[\w.+-]+;base64,", "", text)
    try:
        return base64.b64decode(encoded, validate=True) or None
    except ValueError:
        return None
