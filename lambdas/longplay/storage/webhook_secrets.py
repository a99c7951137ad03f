"""Each owner's generation of webhook secrets in the table, and the root of all secrets in Secrets Manager."""

from __future__ import annotations

from functools import cached_property

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from longplay.domain import changes
from longplay.domain.errors import Unavailable
from longplay.domain.webhook_secrets import Rotations, rotated, secret_of, signing
from longplay.storage.table import Table, WriteRefused
from longplay.storage.tokens import SecretsClient


class WebhookSecrets:
    """The secrets by which an owner's webhooks are signed. Each method raises Unavailable."""

    def __init__(self, table: Table, secrets: SecretsClient, root_id: str) -> None:
        self._table = table
        self._secrets = secrets
        self._root_id = root_id

    def of(self, owner: str, *, now: float) -> list[str]:
        """The secrets that sign now, the present one first."""
        return [secret_of(self._root, owner, generation) for generation in signing(self._rotations(owner), now=now)]

    def renew(self, owner: str, *, now: float) -> str:
        """The next secret. Two at the same time make one. Raises TooManyRotations."""
        seen = self._rotations(owner)
        renewed = rotated(seen, now=now)
        item = {"pk": _key(owner), **msgspec.to_builtins(renewed)}
        try:
            self._table.write(self._table.put("webhooks", item, changes.ROTATE, seen=seen.generation))
        except WriteRefused:
            renewed = self._rotations(owner)
        return secret_of(self._root, owner, renewed.generation)

    def _rotations(self, owner: str) -> Rotations:
        return msgspec.convert(self._table.get(_key(owner)) or {}, Rotations, strict=False)

    @cached_property
    def _root(self) -> bytes:
        try:
            return self._secrets.get_secret_value(SecretId=self._root_id)["SecretString"].encode()  # type: ignore[no-any-return]
        except (ClientError, BotoCoreError) as error:
            raise Unavailable(f"the root of the webhooks' secrets: {error}") from error


def _key(owner: str) -> str:
    return f"webhooks#{owner}"
