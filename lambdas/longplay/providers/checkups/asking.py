"""Asking what costs nothing: by GET alone, each thing once, answers capped and parsed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.checkups.findings import Found, Question, unknown
from longplay.providers.credential import Credential
from longplay.providers.http_client import exchange, server_of
from longplay.providers.inference_providers.mapping import ProviderMapping
from longplay.providers.protocol import Call

LARGEST_REPLY = 1_000_000  # bytes; a model's page on the Hub is a few kilobytes
SECONDS = 8.0

_NOBODY = Credential("nobody", None)


@dataclass(frozen=True)
class Reply:
    """What a server said; `body` is its JSON, None where it sent none that can be read."""

    status: int
    body: Any

    @property
    def success(self) -> bool:
        """Whether it is a 2xx."""
        return 200 <= self.status < 300

    def member(self, *path: str | int) -> Any:
        """What lies at a path in the body, None where there is nothing of the kind."""
        found = self.body
        for step in path:
            with suppress(LookupError, TypeError):
                found = found[step]
                continue
            return None
        return found


class Asker:
    """Remembers replies for one round of checkups; a server that was silent once is not asked again in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._replies: dict[tuple[str, str], Reply] = {}
        self._silent: dict[str, ProviderError] = {}

    def get(self, url: str, credential: Credential = _NOBODY) -> Reply:
        """The reply, whatever its status; raises ProviderError where there is none."""
        asked = (url, credential.name)
        if asked not in self._replies:
            self._replies[asked] = self._ask(url, credential)
        return self._replies[asked]

    def _ask(self, url: str, credential: Credential) -> Reply:
        server = server_of(url)
        if server in self._silent:
            raise self._silent[server]
        try:
            answer = exchange(
                "GET",
                url,
                headers={"Accept": "application/json", **credential.headers},
                save_to=self.folder / "reply",
                largest=LARGEST_REPLY,
                timeout=SECONDS,
            )
        except ProviderError as error:
            self._silent[server] = _silent(server, error)
            raise self._silent[server] from error
        return Reply(answer.status, _json(answer.body))


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A route to look at: its `provider`, and the `call` it would make, which is not made."""

    provider: str
    call: Call
    read_token: Callable[[str], str | None]
    asker: Asker
    mapping: ProviderMapping

    @property
    def host(self) -> str:
        """Where the call would go; raises ProviderError for an address that cannot be used."""
        return server_of(self.call.url)

    @property
    def on_this_machine(self) -> bool:
        """Whether a server here plays the provider, and all of its hosts at once."""
        # server_of lets http through to this machine alone
        return bool(self.host) and self.call.url.startswith("http:")

    def at(self, host: str, path: str) -> str:
        """An address at one of the provider's hosts, or at the server here that plays them."""
        return f"http://{self.host}{path}" if self.on_this_machine else f"https://{host}{path}"


Check: TypeAlias = Callable[[Visit], Found | None]
"""None is for what no free call can tell."""

Checkup: TypeAlias = Mapping[Question, Check]


def puzzling(host: str, reply: Reply) -> Found:
    """An answer that says nothing about the route."""
    return unknown(f"{host} answered {reply.status} when it was asked; look again later.")


def listed(value: Any) -> list[Any]:
    """The value where it is a list; an empty one for whatever else a server sent in its place."""
    return value if isinstance(value, list) else []


def _silent(server: str, error: ProviderError) -> ProviderError:
    """A question is no generation, so that nothing of it can have been billed."""
    if error.kind is FailureKind.UNREACHABLE:
        return error
    return ProviderError(error.kind, f"{server} gave no whole answer when it was asked how it is.")


def _json(body: Path) -> Any:
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.decode(body.read_bytes())
    return None
