"""API keys: makes them, lists them without their values, and revokes them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import boto3

from infra.operator.errors import OperationError

_OWNER = re.compile(r"[a-z0-9-]{1,32}")
_NAME = "longplay-"
_HEADS = ("key", "owner", "made", "ends with")

Key = Mapping[str, Any]


def create_key(session: boto3.Session, *, owner: str, usage_plan_id: str) -> str:
    """Creates an API key of `owner` in the usage plan and returns it; older keys of the same owner stay valid.

    The key is `lp_<owner>_<secret>`, so all keys of an owner see the same jobs.
    Raises OperationError unless the owner is 1 to 32 of a–z, 0–9 and -.
    """
    if not _OWNER.fullmatch(owner):
        raise OperationError(f"{owner!r} cannot be an owner: use 1 to 32 of a-z, 0-9 and -")
    api_gateway = session.client("apigateway")
    value = f"lp_{owner}_{secrets.token_hex(24)}"
    key = api_gateway.create_api_key(name=f"{_NAME}{owner}", value=value, enabled=True)
    api_gateway.create_usage_plan_key(usagePlanId=usage_plan_id, keyId=key["id"], keyType="API_KEY")
    return value


def listed(session: boto3.Session, *, usage_plan_id: str) -> str:
    """A table of the keys of a stage, the oldest first, with the last four characters of each."""
    keys = sorted(_keys(session, usage_plan_id), key=lambda key: key["createdDate"])
    if not keys:
        return "There is no key: `make key OWNER=name` makes one."
    return _aligned([_HEADS, *(_row(key) for key in keys)])


def revoke(session: boto3.Session, which: str, *, usage_plan_id: str) -> str:
    """Deletes one key, named by its id or by itself, and returns what was done; raises OperationError if it is unknown.

    A key of another stage or of another API in the account is not touched.
    """
    for key in _keys(session, usage_plan_id):
        if which in (key["id"], key["value"]):
            session.client("apigateway").delete_api_key(apiKey=key["id"])
            return (
                f"The key {key['id']} of {_owner(key)} is revoked. The API refuses it from now on, the faces within "
                "five minutes. Its jobs stay, and other keys of this owner see them."
            )
    raise OperationError("this stage has no such key: `make keys` lists them")


def _keys(session: boto3.Session, usage_plan_id: str) -> Iterator[Key]:
    """The keys of the usage plan with their values; API Gateway lists the account's keys, of all plans."""
    api_gateway = session.client("apigateway")
    plan = api_gateway.get_paginator("get_usage_plan_keys").paginate(usagePlanId=usage_plan_id)
    ours = {key["id"] for page in plan for key in page["items"]}
    for page in api_gateway.get_paginator("get_api_keys").paginate(includeValues=True):
        yield from (key for key in page["items"] if key["id"] in ours)


def _row(key: Key) -> tuple[str, ...]:
    made: datetime = key["createdDate"]
    return key["id"], _owner(key), made.astimezone(UTC).strftime("%Y-%m-%d %H:%M"), f"…{key['value'][-4:]}"


def _owner(key: Key) -> str:
    return str(key["name"]).removeprefix(_NAME)


def _aligned(rows: Iterable[tuple[str, ...]]) -> str:
    table = [*rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEADS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    )
