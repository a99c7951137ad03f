"""The providers' tokens: one secret, read through a cache so that a rotated token needs no redeploy."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from longplay.domain.errors import FailureKind, ProviderError

SECONDS_KEPT = 300.0


class SecretsClient(Protocol):
    """The one call needed of boto3's Secrets Manager client."""

    def get_secret_value(self, *, SecretId: str) -> Mapping[str, Any]:  # noqa: N803 - AWS's spelling
        """The secret's current version."""
        ...


class ProviderTokens:
    """Tokens by name ("huggingface", "self_hosted") from a secret that is a JSON object of strings.

    A token never appears in an error, and a secret that cannot be understood is never quoted.
    """

    def __init__(self, secrets: SecretsClient, secret_id: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._secrets = secrets
        self._secret_id = secret_id
        self._clock = clock
        self._tokens: Mapping[str, Any] = {}
        self._fresh_until = float("-inf")

    def get(self, name: str) -> str | None:
        """The token stored under a name, None without one; raises ProviderError if the secret is unusable."""
        self.refresh()
        return _token(name, self._tokens.get(name))

    def refresh(self) -> None:
        """Read the secret, if it is due; raises ProviderError if it is unusable."""
        if self._clock() >= self._fresh_until:
            self._tokens = self._read()
            self._fresh_until = self._clock() + SECONDS_KEPT

    def forget(self) -> None:
        """Make the next `get` read the secret again, because a provider has refused a token."""
        self._fresh_until = float("-inf")

    def _read(self) -> Mapping[str, Any]:
        try:
            secret = self._secrets.get_secret_value(SecretId=self._secret_id)
        except (ClientError, BotoCoreError) as error:
            raise ProviderError(FailureKind.UNREACHABLE, _unreadable(error)) from error
        return _parse(secret.get("SecretString", ""))


def _unreadable(error: ClientError | BotoCoreError) -> str:
    code = error.response["Error"].get("Code") if isinstance(error, ClientError) else type(error).__name__
    return f"the secret with the provider tokens could not be read ({code}); no provider was called"


def _parse(text: str) -> Mapping[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        # the parser's own message may quote the secret, so it is not kept as the cause
        raise ProviderError(
            FailureKind.NO_TOKEN,
            "the secret with the provider tokens is no JSON object: store the tokens anew with "
            "`make token PROVIDER=huggingface`",
        ) from None


def _token(name: str, stored: object) -> str | None:
    """A token as it can stand in a header, which a pasted line break must not split."""
    token = stored.strip() if isinstance(stored, str) else stored
    if token in (None, ""):
        return None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token:
        raise ProviderError(
            FailureKind.NO_TOKEN,
            f"the token stored for {name} is not a line of printable characters: store it anew with "
            f"`make token PROVIDER={name}`",
        )
    return token
