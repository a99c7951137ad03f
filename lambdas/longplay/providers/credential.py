"""The token sent with a call: the name it is stored under, and the host it may be sent to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.http_client import server_of
from longplay.providers.protocol import Call


@dataclass(frozen=True)
class Credential:
    """A stored token by name; `token` is None if none is stored. It is not in the repr, so it is not logged."""

    name: str
    token: str | None = field(repr=False)
    scheme: str = "Bearer"

    @property
    def headers(self) -> dict[str, str]:
        """The Authorization header; empty without a token."""
        return {"Authorization": f"{self.scheme} {self.token}"} if self.token else {}


@dataclass(frozen=True, kw_only=True)
class OwnToken:
    """A provider's token, stored as `name`. It is sent only to `host` and to a stand-in on this machine."""

    name: str
    host: str
    advice: str
    scheme: str = "Bearer"

    def credential(self, call: Call, read_token: Callable[[str], str | None]) -> Credential:
        """The credential for a call; raises ProviderError if `host` is called and no token is stored."""
        is_provider = server_of(call.url).partition(":")[0].lower() == self.host
        # server_of allows http only to this machine
        token = read_token(self.name) if is_provider or call.url.startswith("http:") else None
        if is_provider and token is None:
            raise ProviderError(
                FailureKind.NO_TOKEN,
                f"no token stored: {call.model} at {self.host} needs one. {self.advice.format(token=self.name)}",
            )
        return Credential(self.name, token, self.scheme)
