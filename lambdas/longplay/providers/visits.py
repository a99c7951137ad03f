"""Requests of a checkup: GET and OPTIONS only, each URL once per round, with a size limit for the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.credential import Credential
from longplay.providers.findings import Found, Question, unknown
from longplay.providers.http_client import exchange, server_of
from longplay.providers.inference_providers.mapping import ProviderMapping
from longplay.providers.protocol import Call

LARGEST_REPLY = 1_000_000  # bytes; a model's page on the Hub is a few kilobytes
SECONDS = 8.0

_NO_CREDENTIAL = Credential("none", None)


@dataclass(frozen=True)
class Reply:
    """The answer of a server; `body` is its JSON, None if it sent no JSON."""

    status: int
    body: Any

    @property
    def success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def member(self, *path: str | int) -> Any:
        """The value at a path in the body, None if the body has no such path."""
        found = self.body
        for step in path:
            with suppress(LookupError, TypeError):
                found = found[step]
                continue
            return None
        return found


class Asker:
    """The replies of one round of checkups. A server that did not answer is not asked again in the same round."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._replies: dict[tuple[str, str, str], Reply] = {}
        self._silent: dict[str, ProviderError] = {}

    def get(self, url: str, credential: Credential = _NO_CREDENTIAL) -> Reply:
        """The reply, with any status; raises ProviderError if none came."""
        return self._once("GET", url, credential)

    def options(self, url: str, credential: Credential = _NO_CREDENTIAL) -> Reply:
        """The same for OPTIONS, which starts nothing (RFC 9110, 9.2.1), at an address that generates."""
        return self._once("OPTIONS", url, credential)

    def _once(self, method: str, url: str, credential: Credential) -> Reply:
        asked = (method, url, credential.name)
        if asked not in self._replies:
            self._replies[asked] = self._ask(method, url, credential)
        return self._replies[asked]

    def _ask(self, method: str, url: str, credential: Credential) -> Reply:
        server = server_of(url)
        if server in self._silent:
            raise self._silent[server]
        try:
            answer = exchange(
                method,
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
    """A route to examine: its `provider`, and the `call` that a job would make. The call is not made."""

    provider: str
    call: Call
    read_token: Callable[[str], str | None]
    asker: Asker
    mapping: ProviderMapping

    @property
    def host(self) -> str:
        """The host of the call; raises ProviderError if its address cannot be used."""
        return server_of(self.call.url)

    @property
    def on_this_machine(self) -> bool:
        """Whether a server on this machine stands in for all hosts of the provider."""
        # server_of accepts http only for this machine
        return bool(self.host) and self.call.url.startswith("http:")

    def at(self, host: str, path: str) -> str:
        """A URL at one of the provider's hosts, or at the stand-in on this machine."""
        return f"http://{self.host}{path}" if self.on_this_machine else f"https://{host}{path}"


Check: TypeAlias = Callable[[Visit], Found | None]
"""Answers one question; None if no free call can answer it."""

Checkup: TypeAlias = Mapping[Question, Check]


def puzzling(host: str, reply: Reply) -> Found:
    """Unknown, because the answer says nothing about the route."""
    return unknown(f"{host} answered {reply.status} to the checkup; run it again later.")


def listed(value: Any) -> list[Any]:
    """The value if it is a list, otherwise an empty list."""
    return value if isinstance(value, list) else []


def _silent(server: str, error: ProviderError) -> ProviderError:
    """The error without a word about charges: a checkup starts no generation, so nothing was billed."""
    if error.kind is FailureKind.UNREACHABLE:
        return error
    return ProviderError(error.kind, f"{server} did not give a complete answer to the checkup.")


def _json(body: Path) -> Any:
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.decode(body.read_bytes())
    return None
