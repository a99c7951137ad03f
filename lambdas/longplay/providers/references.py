"""How a generation is asked for by its reference: how often, and what it means when the asking fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from longplay.domain.errors import ProviderError
from longplay.providers.protocol import Call, PollError
from longplay.providers.reach import callback_url

SOON, LATER = 5.0, 10.0  # seconds until the first poll, and between the others
SAFETY_NET = 60.0  # seconds between polls of what should call back


def pause(call: Call, without_callback: float) -> float:
    """Seconds until the next poll, which is but a safety net where the provider calls back."""
    return SAFETY_NET if callback_url(call) else without_callback


@contextmanager
def only_asking() -> Iterator[None]:
    """What goes wrong in here says nothing about the generation: a ProviderError becomes a PollError."""
    try:
        yield
    except ProviderError as error:
        raise PollError(error) from error
