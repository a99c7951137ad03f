"""AWS on moto at about three times its usual speed; nothing here changes how the product behaves."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

import boto3
from botocore.config import Config
from moto.core.serialize import ResponseSerializer

_clients: dict[str, Any] = {}


@contextmanager
def fast_aws() -> Iterator[None]:
    """SDK clients are shared, answers of DynamoDB are built faster, and models.toml is parsed once."""
    with (
        patch.object(boto3, "client", _client),
        patch.object(ResponseSerializer, "get_value", _get_value),
        patch.object(tomllib, "loads", _parse),
    ):
        yield


def _client(name: str, **options: Any) -> Any:
    """One client of each kind for the whole run.

    Making a client parses megabytes of JSON and takes as long as a whole test. A client remembers no account.
    """
    kind = repr((name, [(option, _comparable(options[option])) for option in sorted(options)]))
    if kind not in _clients:
        _clients[kind] = _session().client(name, **options)
    return _clients[kind]


def _comparable(option: Any) -> Any:
    return sorted(vars(option)["_user_provided_options"].items()) if isinstance(option, Config) else option


@cache
def _session() -> Any:
    """A session that lasts longer than the accounts, and so reads the descriptions of AWS's services once."""
    return boto3.Session()


_search = ResponseSerializer.get_value


def _get_value(serializer: Any, value: Any, key: str, shape: Any) -> Any:
    """A member of an answer. Moto looks for it under several names; DynamoDB's members have only one."""
    typed = isinstance(value, dict) and serializer.operation_model.service_model.service_name == "dynamodb"
    return value.get(key) if typed else _search(serializer, value, key, shape)


_parse = cache(tomllib.loads)  # the callers only read what it returns
