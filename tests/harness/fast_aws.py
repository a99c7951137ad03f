"""AWS on moto at several times its usual speed; nothing here changes how the product behaves."""

from __future__ import annotations

import tomllib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy, deepcopy
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
from moto.dynamodb.comparisons import ConditionExpressionParser
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing import validators
from moto.sqs import models as sqs_models

# by name: Moto's parsers are not typed
_UpdateExpressionParser = resolve_name("moto.dynamodb.parsing.expressions:UpdateExpressionParser")
_DepthFirstTraverser = resolve_name("moto.dynamodb.parsing.ast_nodes:DepthFirstTraverser")
_Node = resolve_name("moto.dynamodb.parsing.ast_nodes:Node")
_Expression = resolve_name("moto.dynamodb.parsing.ast_nodes:Expression")
_Function = resolve_name("moto.dynamodb.parsing.ast_nodes:UpdateExpressionFunction")
_clients: dict[str, Any] = {}


@contextmanager
def fast_aws() -> Iterator[None]:
    """SDK clients are shared, and what is made of the same text or class again and again is made once."""
    with (
        patch.object(boto3, "client", _client),
        patch.object(tomllib, "loads", _parse),
        patch.object(ResponseSerializer, "get_value", _get_value),
        patch.object(_UpdateExpressionParser, "make", _parse_update),
        patch.object(_DepthFirstTraverser, "traverse_node_recursively", _traverse),
        patch.object(ConditionExpressionParser, "_lex_condition_expression", _lex),
        patch.object(DynamoType, "__deepcopy__", _copy),
        patch.object(Table, "__deepcopy__", _copy_table, create=True),
        patch.object(_Node, "find_clauses", _find_clauses),
        patch.object(validators.ActionCountValidator, "traverse", lambda _, expression: expression),
        patch.object(sqs_models, "camelcase_to_underscores", cache(utils.camelcase_to_underscores)),
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
_parse_once = _UpdateExpressionParser.make
_count_actions = validators.ActionCountValidator.traverse


@cache
def _parse_update(text: str) -> Any:
    """An update expression, with its clauses counted; a validator copies what it changes."""
    return _count_actions(validators.ActionCountValidator(), _parse_once(text))


def _find_clauses(node: Any, types: list[type]) -> list[Any]:
    """The clauses of these types below a node, outermost first."""
    found: list[Any] = []
    for child in node.children or ():
        if type(child) in types:
            found.append(child)
        elif _has_clauses(child.__class__):
            found += _find_clauses(child, types)
    return found


@cache
def _has_clauses(node: type) -> bool:
    return issubclass(node, (_Expression, _Function))


def _traverse(traverser: Any, node: Any, child_id: int = -1) -> Any:
    """The node after a traverser, depth first; as in Moto, which finds out again at each node whether to process it."""
    parent = node.parent
    for place, child in enumerate(node.children or ()):
        traverser.pre_processing_of_child(node, place)
        if isinstance(child, _Node):
            _traverse(traverser, child, place)
    if not _processes(type(traverser), traverser.nodes_to_be_processed, type(node)):
        return node
    processed = traverser.process(node)
    processed.parent = parent
    if parent:
        parent.children[child_id] = processed
    return processed


_processed: dict[tuple[type, type], bool] = {}


def _processes(traverser: type, types: Callable[[], tuple[type, ...]], node: type) -> bool:
    """Whether a traverser processes nodes of this type."""
    if (traverser, node) not in _processed:
        _processed[traverser, node] = issubclass(node, types())
    return _processed[traverser, node]


_tokens_of = ConditionExpressionParser._lex_condition_expression
_tokens: dict[str | None, tuple[Any, ...]] = {}


def _lex(parser: ConditionExpressionParser) -> deque[Any]:
    """The tokens of a condition, which do not change."""
    text = parser.condition_expression
    if text not in _tokens:
        _tokens[text] = tuple(_tokens_of(parser))
    return deque(_tokens[text])


_deepcopy = DynamoType.__deepcopy__


def _copy(value: DynamoType, memo: dict[int, Any]) -> DynamoType:
    """A copy of a value. Moto changes lists, maps and sets in place, and replaces every other value."""
    return value if value.type in ("S", "N", "B", "BOOL", "NULL") else _deepcopy(value, memo)


def _copy_table(table: Table, memo: dict[int, Any]) -> Table:
    """The table as a transaction brings it back if one of its parts is refused: with its items."""
    copied = copy(table)
    copied.items = deepcopy(table.items, memo)
    return copied


_canonical = SigV4Auth.canonical_request


def _canonical_request(auth: SigV4Auth, request: Any) -> str:
    """The text that is signed. Moto checks the signatures of URLs alone, so a header may sign nothing."""
    return "" if type(auth) is SigV4Auth else _canonical(auth, request)


_OFTEN = ("dynamodb", "sqs", "s3")
_PATTERNS = sorted(backend_index.backend_url_patterns, key=lambda row: row[0] not in _OFTEN)
