"""The provider interface: submit a generation and get files, or a reference to poll."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from longplay.domain.errors import LongplayError, ProviderError
from longplay.media.files import MediaFile

LARGEST_RESULT = 200_000_000  # bytes of all files of a result
ROOM = 2 * LARGEST_RESULT  # bytes a call may need at once: a resumed download is joined from two files


@dataclass(frozen=True, kw_only=True)
class Call:
    """One generation as a route sends it to its provider.

    `model` is the provider's id of the model, `url` the server's address with the model filled in, and `style` the
    format of the parameters. `timeout` is in seconds for the whole exchange. Result files are written to `folder`.
    The provider may call `callback_url` when it is done (None: no callback), and can fetch the input image from
    `image_url` for an hour without a key (None: no such URL). `attempt` is a unique name of at most 64 characters.
    `ends_within` is the seconds left until the job's deadline. `inputs` is the route's template of a request.
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
    inputs: Mapping[str, Any] | Sequence[Any] = ()


@dataclass(frozen=True, kw_only=True)
class Done:
    """The result of a generation: complete files, already on disk."""

    files: tuple[MediaFile, ...]
    request_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The provider has accepted the generation; poll `ref` in `poll_after` seconds."""

    ref: str
    poll_after: float
    request_id: str | None = None


class PollError(LongplayError):
    """A poll failed. This says nothing about the generation, and another poll costs nothing."""

    def __init__(self, error: ProviderError) -> None:
        super().__init__(error.message)
        self.error = error


class Provider(Protocol):
    """A service that generates media."""

    def submit(self, call: Call) -> Done | Accepted:
        """Start a generation; raises ProviderError."""
        ...


@runtime_checkable
class PreparedProvider(Provider, Protocol):
    """A provider that reads something, free of charge, before it starts a generation."""

    def prepare(self, call: Call) -> None:
        """Read it ahead; `submit` reads what is still missing. Raises ProviderError."""
        ...


@runtime_checkable
class PolledProvider(Provider, Protocol):
    """A provider that returns a reference, and is polled or calls back."""

    def poll(self, ref: str, call: Call) -> Done | Accepted:
        """The result, or Accepted if it is not ready.

        Raises ProviderError if the generation failed, and PollError if only the poll failed.
        """
        ...

    def cancel(self, ref: str, call: Call) -> None:
        """Ask the provider to cancel the generation, if it can; raises PollError if the request failed."""
        ...

    def reference_in(self, body: bytes) -> str | None:
        """The reference in a callback's body of at most 1 MB, None if there is none. Nothing else in it is trusted."""
        ...
