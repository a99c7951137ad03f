"""Adapters by provider name, each imported and made when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, TypeVar, cast

from longplay.domain.providers import ProviderEntry
from longplay.providers.protocol import Provider

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, eq=False)
class AdapterContext:
    """The parts of the deployment that an adapter can use.

    `read_token` returns the token stored under a name, None without one. `forget_tokens` is called after a provider
    refused a token. `open_s3` makes a client for the bucket `bucket_name`. `bill_to` is the organization
    that pays for calls through Hugging Face's router; None is the account of the token.
    """

    read_token: Callable[[str], str | None]
    forget_tokens: Callable[[], None]
    open_s3: Callable[[], S3Client]
    bucket_name: str
    bill_to: str | None = None
    _shared: dict[object, Any] = field(default_factory=dict, init=False, repr=False)

    def shared(self, make: Callable[[], T]) -> T:
        """The one object of this kind that all adapters share, made when it is first asked for."""
        if make not in self._shared:
            self._shared[make] = make()
        return cast("T", self._shared[make])


class Adapters(Mapping[str, Provider]):
    """The adapter of each row of the table; a KeyError for a name without a row."""

    def __init__(self, table: Mapping[str, ProviderEntry], context: AdapterContext) -> None:
        self._table = table
        self._context = context
        self._made: dict[str, Provider] = {}

    def __getitem__(self, name: str) -> Provider:
        if name not in self._made:
            self._made[name] = resolve_name(self._table[name].adapter)(self._context)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)
