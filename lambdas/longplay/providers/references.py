"""Polling a generation by its reference: how often, and how errors of a poll are raised."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from longplay.domain.errors import ProviderError
from longplay.providers.protocol import Call, PollError
from longplay.providers.reach import callback_url

SOON, LATER = 5.0, 10.0  # seconds until the first poll, and between later polls
SAFETY_NET = 60.0  # seconds between polls when a callback is expected


def pause(call: Call, without_callback: float) -> float:
    """Seconds until the next poll; longer if the provider calls back, since the poll is then only a safety net."""
    return SAFETY_NET if callback_url(call) else without_callback


@contextmanager
def only_asking() -> Iterator[None]:
    """Raise a ProviderError from within as a PollError, since it says nothing about the generation."""
    try:
        yield
    except ProviderError as error:
        raise PollError(error) from error
