"""The request to an app's endpoint, filled in from the route's template in models.toml.

A template is the endpoint's parameters by name, or a list in their order. `{prompt}`, `{image}`, `{parameters}` (all of
them) and `{duration}` (one of the model's) stand for values. A named parameter without a value is not sent, so the app
uses its own default.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from longplay.providers.protocol import Call
from longplay.providers.reach import image_inline

_ABSENT = object()
_PLACE = re.compile(r"\{(\w+)\}")


def request_of(call: Call) -> tuple[str, dict[str, Any]]:
    """The path below the app's API, and the body: by name (Gradio 6), or by position."""
    values = _values(call)
    if isinstance(call.inputs, Mapping):
        filled = {name: _filled(template, values) for name, template in call.inputs.items()}
        return f"/call/v2/{call.model}", {name: value for name, value in filled.items() if value is not _ABSENT}
    in_order = [_filled(template, values) for template in call.inputs]
    return f"/call/{call.model}", {"data": [None if value is _ABSENT else value for value in in_order]}


def _values(call: Call) -> dict[str, Any]:
    known = {**call.parameters, "prompt": call.prompt, "parameters": dict(call.parameters)}
    return known if call.image is None else {**known, "image": _file(call)}


def _file(call: Call) -> dict[str, Any]:
    """The input image as Gradio's FileData, which accepts a data URI as its `url` (gradio 6.31)."""
    return {"url": image_inline(call), "meta": {"_type": "gradio.FileData"}}


def _filled(template: Any, values: Mapping[str, Any]) -> Any:
    if not isinstance(template, str):
        return template
    if whole := _PLACE.fullmatch(template):
        return values.get(whole[1], _ABSENT)
    return _PLACE.sub(lambda place: str(values.get(place[1], "")), template)
