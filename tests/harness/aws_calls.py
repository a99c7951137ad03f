"""Records the AWS calls of our code, with the items of the table that each call writes or reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import boto3

_EVENT = "provide-client-params"
_CLIENT = boto3.client  # makes a client of the default session, also where tests share their clients
_WRITES = ("PutItem", "UpdateItem", "DeleteItem")


@dataclass(frozen=True, kw_only=True)
class AwsCall:
    """One call, however often the SDK repeats it; items go by the kind of their key: `job`, `limit`, `cache` …"""

    name: str
    written: tuple[str, ...] = ()
    read: tuple[str, ...] = ()

    def __str__(self) -> str:
        touched = [f"writes {', '.join(self.written)}"] * bool(self.written)
        touched += [f"reads {', '.join(self.read)}"] * bool(self.read)
        return f"{self.name} ({'; '.join(touched)})" if touched else self.name


@contextmanager
def recorded_calls() -> Iterator[list[AwsCall]]:
    """The calls of every boto3 client that is made within the block."""
    calls: list[AwsCall] = []

    def record(params: dict[str, Any], model: Any, context: dict[str, Any], **_: object) -> None:
        if not context.get("is_presign_request"):  # a presigned URL is made without a call
            calls.append(_call(model.name, params))

    boto3.setup_default_session()
    assert boto3.DEFAULT_SESSION
    boto3.DEFAULT_SESSION.events.register(_EVENT, record)
    with patch.object(boto3, "client", _CLIENT):
        yield calls
    boto3.setup_default_session()


def _call(name: str, params: dict[str, Any]) -> AwsCall:
    if name == "TransactWriteItems":
        parts = [part for item in params["TransactItems"] for part in item.values()]
        return AwsCall(name=name, written=tuple(map(_kind, parts)))
    if name in _WRITES:
        return AwsCall(name=name, written=(_kind(params),))
    return AwsCall(name=name, read=(_kind(params),) if name == "GetItem" else ())


def _kind(params: dict[str, Any]) -> str:
    key = params.get("Key") or params["Item"]
    return str(key["pk"]["S"]).partition("#")[0]
