"""What every provider does: take one generation, and answer with files or with a reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from longplay.media import MediaFile


@dataclass(frozen=True, kw_only=True)
class Call:
    """One generation as a route asks its provider for it.

    `model` is the provider's own id, `url` the server's address with the model filled in,
    `style` how the server wants its parameters, `timeout` the seconds the whole exchange may take,
    `folder` where result files are written.
    """

    kind: str
    model: str
    url: str
    style: str
    prompt: str
    parameters: Mapping[str, int | float | str]
    image: bytes | None
    timeout: float
    folder: Path


@dataclass(frozen=True, kw_only=True)
class Done:
    """The provider answered with the result: whole files, already on disk."""

    files: tuple[MediaFile, ...]
    request_id: str | None = None


class Provider(Protocol):
    """A service that generates media."""

    def submit(self, call: Call) -> Done:
        """Ask for a generation and return its files; raises ProviderError."""
        ...
