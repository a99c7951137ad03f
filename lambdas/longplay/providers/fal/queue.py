"""The paths and messages of fal's queue API.

From fal_client 1.0.3 and fal.ai/docs/inference-api (read 2026-11). Its answers are not trusted: a URL in one is used
only if it is at the server that was called.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec

from longplay.providers.decoding import decode
from longplay.providers.protocol import Call
from longplay.providers.reach import callback_url

LARGEST_ANSWER = 8_000_000  # bytes

_ID = r"[\w-]{8,64}"
_REQUEST = re.compile(rf"(?:\w[\w.-]*/){{2,4}}requests/{_ID}", re.ASCII)
_NAMESPACES = ("workflows", "comfy")  # in front of owner and app


class Ticket(msgspec.Struct, kw_only=True):
    """The identification in the answer to a new request, and in a callback."""

    request_id: str
    status_url: Any = None


class Progress(msgspec.Struct, kw_only=True):
    """The status of a request; a completed one with an `error` has failed."""

    status: str
    response_url: Any = None
    error: Any = None
    error_type: Any = None

    @property
    def completed(self) -> bool:
        """Whether it has succeeded or failed."""
        return self.status == "COMPLETED"


def submit_path(call: Call) -> str:
    """The path for a new request, with our callback URL in the query."""
    callback = callback_url(call)
    return f"/{call.model}" + (f"?{urlencode({'fal_webhook': callback})}" if callback else "")


def read_reference(body: Path, call: Call) -> str | None:
    """The reference of a new request: its path at the server, or only its id if the path cannot be used."""
    ticket = _ticket(body.read_bytes())
    if ticket is None:
        return None
    path = _own_path(ticket.status_url, call, tail="/status")
    return path if path and id_of(path) == ticket.request_id else ticket.request_id


def reference_in(body: bytes) -> str | None:
    """The request id in a callback's body, None if there is none."""
    ticket = _ticket(body)
    return ticket.request_id if ticket else None


def id_of(ref: str) -> str:
    """The request's id, from either form of reference."""
    return ref.rpartition("/")[2]


def request_path(ref: str, call: Call) -> str:
    """The path of a request; it contains only owner and app of the endpoint's id."""
    return f"/{ref}" if "/" in ref else f"/{_app(call.model)}/requests/{ref}"


def result_path(progress: Progress, ref: str, call: Call) -> str:
    """The path of a request's result: the one fal returned, if it is at the called server."""
    path = _own_path(progress.response_url, call, tail="/response")
    if path is None or id_of(path) != id_of(ref):
        return request_path(ref, call)
    return "/" + str(progress.response_url).removeprefix(_base(call))


def read_progress(body: Path) -> Progress | None:
    """The status of a request, None if the answer has none."""
    return decode(body.read_bytes(), Progress)


def _base(call: Call) -> str:
    return call.url.rstrip("/") + "/"


def _ticket(body: bytes) -> Ticket | None:
    ticket = decode(body, Ticket)
    # the id becomes part of a URL
    return ticket if ticket and re.fullmatch(_ID, ticket.request_id, re.ASCII) else None


def _own_path(url: Any, call: Call, *, tail: str) -> str | None:
    """The path of a request in a URL, None for a URL of another server or another form."""
    if not isinstance(url, str) or not url.startswith(_base(call)):
        return None
    path = url.removeprefix(_base(call)).removesuffix(tail)
    return path if _REQUEST.fullmatch(path) else None


def _app(endpoint: str) -> str:
    segments = endpoint.split("/")
    return "/".join(segments[: 3 if segments[0] in _NAMESPACES else 2])
