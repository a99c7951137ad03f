"""Reads the value of a setting by its declared type; each error says what is right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin, get_type_hints

import msgspec

OFF = "off"


def read(kind: Any, value: object) -> object:
    """The value as `kind`, from the text of `-c name=value` or from cdk.json; raises ValueError.

    A text is JSON unless `kind` is a text itself. `off` is None, for a setting that can be None.
    """
    if (inner := _without_none(kind)) is None:
        return _typed(kind, value if _is_text(kind) else _decoded(value))
    if value in (OFF, None):
        return None
    try:
        return read(inner, value)
    except ValueError as error:
        raise ValueError(f"{error}, or {OFF}") from error


def _typed(kind: Any, value: object) -> object:
    if _is_object(kind):
        if not isinstance(value, Mapping):
            raise ValueError(_must_be(kind))
        return _built(kind, {name: _member(kind, name, member) for name, member in value.items()})
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ValueError(_must_be(kind)) from error


def _member(kind: Any, name: str, value: object) -> object:
    known = _fields(kind)
    if known is not None and name not in known:
        raise ValueError(f"unknown key {name!r}: there are {', '.join(known)}")
    try:
        return read(known[name] if known else get_args(_bare(kind))[1], value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _must_be(kind: Any) -> str:
    """A sentence from the type, for example `must be a whole number from 1 to 800`."""
    metas = _metas(kind)
    if text := next((meta.description for meta in metas if meta.description), None):
        return f"must be {text}"
    bare = _bare(kind)
    if bare is bool:
        return "must be true or false"
    if issubclass(bare, Enum):
        return f"must be one of {', '.join(bare)}"
    least, most = (next(getattr(meta, bound) for meta in metas) for bound in ("ge", "le"))
    return f"must be a {'whole number' if bare is int else 'number'} from {least:.15g} to {most:.15g}"


def _built(kind: Any, members: Mapping[str, object]) -> object:
    bare = _bare(kind)
    return members if _fields(kind) is None else bare(**members)


def _fields(kind: Any) -> Mapping[str, Any] | None:
    """The types of a struct's fields by name; None for a mapping with any keys."""
    bare = _bare(kind)
    return get_type_hints(bare, include_extras=True) if get_origin(bare) is None else None


def _is_object(kind: Any) -> bool:
    bare = _bare(kind)
    return get_origin(bare) is Mapping or (isinstance(bare, type) and issubclass(bare, msgspec.Struct))


def _is_text(kind: Any) -> bool:
    bare = _bare(kind)
    return isinstance(bare, type) and issubclass(bare, str)


def _without_none(kind: Any) -> Any:
    """The type of an optional value without None; None for a type that is not optional."""
    if get_origin(kind) not in (UnionType, Union):
        return None
    return next(member for member in get_args(kind) if member is not type(None))


def _bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _metas(kind: Any) -> tuple[msgspec.Meta, ...]:
    return cast("tuple[msgspec.Meta, ...]", get_args(kind)[1:]) if get_origin(kind) is Annotated else ()


def _decoded(value: object) -> object:
    """The value of a JSON text; a value in cdk.json need not be a text."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError:
        return None
