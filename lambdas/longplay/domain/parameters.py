"""Checks the values of a request against their bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeGuard

from longplay.domain.catalogue import Bound, Model
from longplay.domain.errors import InvalidRequest
from longplay.domain.faults import Faults
from longplay.domain.texts import text_of

LONGEST_PROMPT = 2_000  # characters; keeps a job's item small
RANDOM_SEED = -1  # as diffusers' tools and stable-diffusion.cpp write it

Value = int | float | str
_NOT_VALID: Value = 0  # stands for a value with a fault, and is not used


def parameters_of(
    given: Mapping[str, Any], model: Model, faults: Faults, *, draw: Callable[[int], int]
) -> dict[str, Value]:
    """The model's parameters, checked, with defaults filled in; null is the same as left out.

    `draw(n)` returns a random number from 0 to n - 1. It is called for a seed of -1.
    """
    values = {name: _given_or_default(given.get(name), bound) for name, bound in model.parameters.items()}
    if values.get("seed") == RANDOM_SEED:
        values["seed"] = _drawn(model.parameters["seed"], draw)
    return {
        name: faults.check(partial(_CHECKS[bound.type], name, values[name], bound), _NOT_VALID)
        for name, bound in model.parameters.items()
        if values[name] is not None
    }


def whole_number(field: str, value: object, bound: Bound) -> int:
    """A whole number within its bounds, however it is written: 512, 512.0 and 5.12e2 are equal."""
    number = _plain(value) if _is_number(value) else None
    if not isinstance(number, int):
        raise _wrong(field, f"`{field}` must be a whole number{_range(field, bound)}.", bound, "wrong_type")
    if not _in_bounds(number, bound) or (bound.step and number % bound.step):
        out = f"`{field}` is out of bounds: it must be a whole number{_range(field, bound)}."
        raise _wrong(field, out, bound, "out_of_bounds")
    return number


def _wrong(field: str, detail: str, bound: Bound, why: str) -> InvalidRequest:
    return InvalidRequest(field, detail, why=why, minimum=bound.least, maximum=bound.most, multipleOf=bound.step)


def _given_or_default(value: object, bound: Bound) -> Any:
    return bound.default if value is None else value


def _drawn(bound: Bound, draw: Callable[[int], int]) -> int:
    least, most = int(bound.least or 0), int(bound.most or 0)
    return least + draw(most - least + 1)


def _number(field: str, value: object, bound: Bound) -> int | float:
    if not _is_number(value):
        raise _wrong(field, f"`{field}` must be a number{_range(field, bound)}.", bound, "wrong_type")
    if not _in_bounds(value, bound):
        out = f"`{field}` is out of bounds: it must be a number{_range(field, bound)}."
        raise _wrong(field, out, bound, "out_of_bounds")
    return _plain(value)


def _is_number(value: object) -> TypeGuard[int | float]:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _plain(value: float) -> int | float:
    """10.0 as 10: both must have one fingerprint, and DynamoDB stores 10.0 as 10."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _in_bounds(value: float, bound: Bound) -> bool:
    return (bound.least is None or value >= bound.least) and (bound.most is None or value <= bound.most)


def _range(field: str, bound: Bound) -> str:
    steps = f", a multiple of {bound.step}" if bound.step else ""
    lower = f" from {bound.least:g}" if bound.least is not None else ""
    upper = f" to {bound.most:.10g}" if bound.most is not None else ""
    random = f", or {RANDOM_SEED} for a random one" if field == "seed" else ""
    return lower + upper + steps + random


def _text(field: str, value: object, bound: Bound) -> str:
    return text_of(field, value, longest=bound.longest or LONGEST_PROMPT)


_CHECKS: Mapping[str, Callable[[str, Any, Bound], Value]] = {
    "number": _number,
    "integer": whole_number,
    "text": _text,
}
