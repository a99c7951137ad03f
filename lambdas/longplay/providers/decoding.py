"""Decodes JSON from a provider, which is not trusted."""

from __future__ import annotations

from typing import TypeVar

import msgspec

T = TypeVar("T")


def decode(body: bytes, shape: type[T]) -> T | None:
    """The JSON in a body as `shape`, None if it is not JSON or has another shape."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
