"""What a provider does: take one generation, and answer with files, or with a reference to ask by later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from longplay.domain.errors import LongplayError, ProviderError
from longplay.media.files import MediaFile


@dataclass(frozen=True, kw_only=True)
class Call:
    """One generation as a route asks its provider for it.

    `model` is the provider's own id, `url` the server's address with the model filled in, `style` how the server wants
    its parameters, `timeout` the seconds the whole exchange may take, `folder` where result files are written,
    `callback_url` where the provider may say that it is done (None: nowhere). `image_url` is where the input image can
    be fetched without a key for an hour (None: nowhere it could reach), `attempt` a name that no other call has, at
    most 64 characters, and `ends_within` the seconds left until the job's deadline.
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
    callback_url: str | None = None
    image_url: str | None = None
    attempt: str = ""
    ends_within: float = 3_600.0


@dataclass(frozen=True, kw_only=True)
class Done:
    """The provider answered with the result: whole files, already on disk."""

    files: tuple[MediaFile, ...]
    request_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The provider has taken the generation; ask by `ref` in `poll_after` seconds."""

    ref: str
    poll_after: float
    request_id: str | None = None


class PollError(LongplayError):
    """Asking by a reference failed; that says nothing about the generation, and asking again costs nothing."""

    def __init__(self, error: ProviderError) -> None:
        super().__init__(error.message)
        self.error = error


class Provider(Protocol):
    """A service that generates media."""

    def submit(self, call: Call) -> Done | Accepted:
        """Ask for a generation; raises ProviderError."""
        ...


@runtime_checkable
class PolledProvider(Provider, Protocol):
    """A provider that answers with a reference, and calls back or is asked by it."""

    def poll(self, ref: str, call: Call) -> Done | Accepted:
        """How far the generation is; raises ProviderError when it has failed, PollError when asking did."""
        ...

    def cancel(self, ref: str, call: Call) -> None:
        """Have the generation stopped, as far as the provider can; raises PollError when asking failed."""
        ...

    def reference_in(self, body: bytes) -> str | None:
        """The reference a callback's body names; None where it names none. The body is believed in nothing else."""
        ...
