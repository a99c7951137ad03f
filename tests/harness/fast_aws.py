"""AWS on moto at several times its usual speed; nothing here changes how the product behaves."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pkgutil import resolve_name
from typing import Any
from unittest.mock import patch

import boto3
from botocore.auth import SigV4Auth
from botocore.config import Config
from moto import backend_index
from moto.core import responses, utils
from moto.core.serialize import ResponseSerializer

# by name: Moto's parsers are not typed
_UpdateExpressionParser = resolve_name("moto.dynamodb.parsing.expressions:UpdateExpressionParser")
_DepthFirstTraverser = resolve_name("moto.dynamodb.parsing.ast_nodes:DepthFirstTraverser")
_clients: dict[str, Any] = {}


@contextmanager
def fast_aws() -> Iterator[None]:
    """SDK clients are shared, and what is made of the same text or class again and again is made once."""
    with (
        patch.object(boto3, "client", _client),
        patch.object(tomllib, "loads", _parse),
        patch.object(ResponseSerializer, "get_value", _get_value),
        patch.object(_UpdateExpressionParser, "make", _parse_update),
        patch.object(_DepthFirstTraverser, "nodes_to_be_processed", _nodes_to_be_processed),
        patch.object(SigV4Auth, "canonical_request", _canonical_request),
        patch.object(backend_index, "backend_url_patterns", _PATTERNS),
        patch.object(responses, "method_names_from_class", cache(utils.method_names_from_class)),
        patch.object(responses, "camelcase_to_underscores", cache(utils.camelcase_to_underscores)),
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
_parse_update = cache(_UpdateExpressionParser.make)  # a validator copies what it changes


def _nodes_to_be_processed(traverser: Any) -> tuple[type, ...]:
    """The types of a traverser's nodes: Moto asks for them at each node, and they do not change."""
    nodes = vars(traverser).get("nodes")
    if nodes is None:
        nodes = traverser.nodes = tuple(traverser._processing_map())
    return nodes  # type: ignore[no-any-return]


_canonical = SigV4Auth.canonical_request


def _canonical_request(auth: SigV4Auth, request: Any) -> str:
    """The text that is signed. Moto checks the signatures of URLs alone, so a header may sign nothing."""
    return "" if type(auth) is SigV4Auth else _canonical(auth, request)


_OFTEN = ("dynamodb", "sqs", "s3")
_PATTERNS = sorted(backend_index.backend_url_patterns, key=lambda row: row[0] not in _OFTEN)
