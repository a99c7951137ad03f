"""fal's queue in its own words: where a request is asked for, how far it is, and what it brought.

From fal_client 1.0.3 and fal.ai/docs/inference-api (read 2026-11). What it answers is not trusted: an address is taken
only where it is one of the very server that was called.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec

from longplay.providers.protocol import Call
from longplay.providers.reach import callback_url

LARGEST_ANSWER = 8_000_000  # bytes
LARGEST_CALLBACK = 1_000_000  # bytes that are read of one

_ID = r"[\w-]{8,64}"
_REQUEST = re.compile(rf"(?:\w[\w.-]*/){{2,4}}requests/{_ID}", re.ASCII)
_NAMESPACES = ("workflows", "comfy")  # in front of owner and app

T = TypeVar("T")


class Ticket(msgspec.Struct, kw_only=True):
    """What a new request, and a callback about one, is known by."""

    request_id: str
    status_url: Any = None


class Progress(msgspec.Struct, kw_only=True):
    """How far a request is; a completed one with an `error` has failed."""

    status: str
    response_url: Any = None
    error: Any = None
    error_type: Any = None

    @property
    def completed(self) -> bool:
        """Whether it is over, one way or the other."""
        return self.status == "COMPLETED"


def submit_path(call: Call) -> str:
    """Where a request is made; fal calls back where its query says."""
    callback = callback_url(call)
    return f"/{call.model}" + (f"?{urlencode({'fal_webhook': callback})}" if callback else "")


def read_reference(body: Path, call: Call) -> str | None:
    """What a new request is asked for by: its address at the server, or its id alone where none can be used."""
    ticket = _ticket(body.read_bytes())
    if ticket is None:
        return None
    address = _own_address(ticket.status_url, call, tail="/status")
    return address if address and id_of(address) == ticket.request_id else ticket.request_id


def reference_in(body: bytes) -> str | None:
    """The id of the request a callback is about, None where there is none or the body is too large."""
    ticket = _ticket(body) if len(body) <= LARGEST_CALLBACK else None
    return ticket.request_id if ticket else None


def id_of(ref: str) -> str:
    """The request's id, whichever of the two forms the reference has."""
    return ref.rpartition("/")[2]


def request_path(ref: str, call: Call) -> str:
    """Where the request lies; of an endpoint's id only owner and app are part of it."""
    return f"/{ref}" if "/" in ref else f"/{_app(call.model)}/requests/{ref}"


def result_path(progress: Progress, ref: str, call: Call) -> str:
    """Where its result lies: where fal says, if that is its own server."""
    named = _own_address(progress.response_url, call, tail="/response")
    if named is None or id_of(named) != id_of(ref):
        return request_path(ref, call)
    return "/" + str(progress.response_url).removeprefix(_base(call))


def read_progress(body: Path) -> Progress | None:
    """How far a request is, None where the answer does not say."""
    return decode(body.read_bytes(), Progress)


def decode(body: bytes, shape: type[T]) -> T | None:
    """The JSON of that shape in a body, None where there is none."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _base(call: Call) -> str:
    return call.url.rstrip("/") + "/"


def _ticket(body: bytes) -> Ticket | None:
    ticket = decode(body, Ticket)
    # the id becomes a part of an address
    return ticket if ticket and re.fullmatch(_ID, ticket.request_id, re.ASCII) else None


def _own_address(url: Any, call: Call, *, tail: str) -> str | None:
    """The part of a URL that names a request, None for one of another server or another shape."""
    if not isinstance(url, str) or not url.startswith(_base(call)):
        return None
    address = url.removeprefix(_base(call)).removesuffix(tail)
    return address if _REQUEST.fullmatch(address) else None


def _app(endpoint: str) -> str:
    segments = endpoint.split("/")
    return "/".join(segments[: 3 if segments[0] in _NAMESPACES else 2])
