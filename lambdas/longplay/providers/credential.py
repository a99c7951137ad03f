"""The token a call carries: what it is stored under, and whom it may be sent to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.http_client import server_of
from longplay.providers.protocol import Call


@dataclass(frozen=True)
class Credential:
    """`token` is None where none is stored; it is left out of the representation, and so out of logs."""

    name: str
    token: str | None = field(repr=False)
    scheme: str = "Bearer"

    @property
    def headers(self) -> dict[str, str]:
        """The header that carries the token, none without one."""
        return {"Authorization": f"{self.scheme} {self.token}"} if self.token else {}


@dataclass(frozen=True, kw_only=True)
class OwnToken:
    """A provider's own token, stored as `name`: it goes to `host` and to a stand-in on this machine, nowhere else."""

    name: str
    host: str
    advice: str
    scheme: str = "Bearer"

    def credential(self, call: Call, read_token: Callable[[str], str | None]) -> Credential:
        """What the call carries; raises ProviderError where `host` is called and no token is stored."""
        theirs = server_of(call.url).partition(":")[0].lower() == self.host
        # server_of lets http through to this machine alone
        token = read_token(self.name) if theirs or call.url.startswith("http:") else None
        if theirs and token is None:
            raise ProviderError(
                FailureKind.NO_TOKEN,
                f"no token stored: {call.model} at {self.host} needs one. {self.advice.format(token=self.name)}",
            )
        return Credential(self.name, token, self.scheme)
