"""Checks of the catalogue as a whole: mistakes that a look at one field cannot find."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from longplay.domain.catalogue import Bound, Kind, Model, Route

_ALWAYS_KNOWN = ("prompt", "image", "parameters")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)
_OF_NUMBERS, _OF_TEXTS = ("least", "most", "step"), ("longest",)
_TYPES: Mapping[str, tuple[type, ...]] = {"number": (int, float), "integer": (int,), "text": (str,)}


def problems(models: Sequence[Model], defaults: Mapping[Kind, str]) -> Iterator[str]:
    """Every mistake, each with its model, route and field in front."""
    yield from _names(models)
    yield from _defaults({model.name: model for model in models}, defaults)
    for model in models:
        yield from (f"model `{model.name}`, {problem}" for problem in _model(model))


def _names(models: Sequence[Model]) -> Iterator[str]:
    """Callers name models in upper or lower case, so names and aliases must differ in more than case."""
    owners: dict[str, str] = {model.name.lower(): model.name for model in models}
    for model in models:
        for alias in model.aliases:
            owner = owners.setdefault(alias.lower(), model.name)
            if owner != model.name:
                yield f"model `{model.name}`, `aliases`: `{alias}` already names the model `{owner}`"
    for name, count in Counter(model.name.lower() for model in models).items():
        if count > 1:
            yield f"model `{name}`: {count} models have this name in upper or lower case"


def _defaults(models: Mapping[str, Model], defaults: Mapping[Kind, str]) -> Iterator[str]:
    for kind, name in defaults.items():
        if name not in models:
            yield f"[defaults], `{kind}`: there is no model `{name}`"
        elif models[name].kind is not kind:
            yield f"[defaults], `{kind}`: the model `{name}` makes {models[name].kind}"


def _model(model: Model) -> Iterator[str]:
    if not model.routes:
        yield "`routes`: there is none, so the model can never be served"
    for name, count in Counter(route.name for route in model.routes).items():
        if count > 1:
            yield f"route `{name}`, `name`: {count} routes have this name"
    for name, bound in model.parameters.items():
        yield from (f"parameter `{name}`, {problem}" for problem in _bound(bound))
    for route in model.routes:
        yield from (f"route `{route.name}`, {problem}" for problem in _route(route, model.parameters))


def _bound(bound: Bound) -> Iterator[str]:
    misplaced = _OF_NUMBERS if bound.type == "text" else _OF_TEXTS
    yield from (f"`{name}`: a {bound.type} has none" for name in misplaced if getattr(bound, name) is not None)
    if bound.least is not None and bound.most is not None and not bound.least <= bound.most:
        yield f"`least`: {bound.least:g} is more than `most`, which is {bound.most:g}"
    elif bound.default is not None and (allowed := _forbidden(bound)):
        yield f"`default`: {bound.default!r} is not allowed; it must be {allowed}"


def _forbidden(bound: Bound) -> str | None:
    """The rule that the default breaks, None if it breaks none."""
    default = bound.default
    if not isinstance(default, _TYPES[bound.type]):
        return f"of the type {bound.type}"
    if isinstance(default, str):
        return f"at most {bound.longest} characters" if bound.longest and len(default) > bound.longest else None
    if default is None or not (_least(bound) <= default <= _most(bound)):
        return f"from {_least(bound):g} to {_most(bound):g}"
    return f"a multiple of {bound.step}" if bound.step and default % bound.step else None


def _least(bound: Bound) -> float:
    return -math.inf if bound.least is None else bound.least


def _most(bound: Bound) -> float:
    return math.inf if bound.most is None else bound.most


def _route(route: Route, parameters: Mapping[str, Bound]) -> Iterator[str]:
    yield from _named_parameters(route, parameters)
    yield from _placeholders(route, parameters)
    if not 0 <= route.price_usd < math.inf:
        yield f"`price_usd`: {route.price_usd:g} is not allowed; it must be 0 or more"
    for field in ("typical_seconds", "timeout_seconds"):
        if not 0 < getattr(route, field) < math.inf:
            yield f"`{field}`: {getattr(route, field):g} is not allowed; it must be more than 0"
    if not _MONTH.fullmatch(route.read):
        yield f"`read`: {route.read!r} is not a month; write it like 2026-11"


def _named_parameters(route: Route, parameters: Mapping[str, Bound]) -> Iterator[str]:
    for field in ("grows_with", "ignores", "approximates"):
        for name in getattr(route, field):
            if name not in parameters:
                known = ", ".join(parameters)
                yield f"`{field}`: the model has no parameter `{name}`; its parameters are {known}"
    for name in route.grows_with:
        if name in parameters and not _can_grow(parameters[name]):
            yield f"`grows_with`: `{name}` has no default above 0 from which a price could grow"


def _placeholders(route: Route, parameters: Mapping[str, Bound]) -> Iterator[str]:
    templates = route.inputs.values() if isinstance(route.inputs, dict) else route.inputs
    known = (*_ALWAYS_KNOWN, *parameters)
    for name in _PLACEHOLDER.findall(" ".join(filter(lambda part: isinstance(part, str), templates))):
        if name not in known:
            yield f"`inputs`: there is nothing to put for `{{{name}}}`; there are {', '.join(known)}"


def _can_grow(bound: Bound) -> bool:
    return isinstance(bound.default, int | float) and bound.default > 0
