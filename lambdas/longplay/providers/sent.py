"""Notes which requests go out to a provider, so that an unexpected failure is charged only if one was sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_noted: ContextVar[list[str] | None] = ContextVar("noted", default=None)


def note_request(method: str) -> None:
    """Note that a request goes out, for `requests_noted`."""
    if (noted := _noted.get()) is not None:
        noted.append(method)


@contextmanager
def requests_noted() -> Iterator[list[str]]:
    """The methods of the requests that are sent in this block, as they go out."""
    methods: list[str] = []
    token = _noted.set(methods)
    try:
        yield methods
    finally:
        _noted.reset(token)
