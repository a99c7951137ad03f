"""The token for Spaces: stored under its own name, because the code of a Space can read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from longplay.providers.credential import Credential, OwnToken
from longplay.providers.http_client import server_of
from longplay.providers.protocol import Call
from longplay.providers.space.stages import DOMAIN

STORE_ADVICE = (
    "Create a fine-grained token that may read the Space at https://huggingface.co/settings/tokens and store it with "
    "`make token PROVIDER=space`."
)


@dataclass(frozen=True, kw_only=True)
class SpaceToken(OwnToken):
    """A token that is sent to Spaces if one is stored: a public Space needs none."""

    def credential(self, call: Call, read_token: Callable[[str], str | None]) -> Credential:
        """The credential for a call; without a token if none is stored, or for a server that is not a Space."""
        is_space = f".{server_of(call.url).partition(':')[0].lower()}".endswith(DOMAIN)
        # server_of allows http only to this machine
        return Credential(self.name, read_token(self.name) if is_space or call.url.startswith("http:") else None)


OWN_TOKEN = SpaceToken(name="space", host=DOMAIN.strip("."), advice=STORE_ADVICE)
