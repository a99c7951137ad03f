"""Decodes the body of a request: one JSON object in UTF-8."""

from __future__ import annotations

import json
from typing import Any

from longplay.domain.errors import InvalidRequest, TooLarge
from longplay.domain.texts import shown

LONGEST_BODY = 4_500_000  # bytes; a Lambda request is at most 6 MB (AWS limit), base64 included


def decode_body(body: bytes) -> dict[str, Any]:
    """The members of the JSON object; raises TooLarge or InvalidRequest.

    The standard library's decoder is used because it passes on what a field must refuse by name: a lone surrogate, NaN,
    a number that is too large, and a member that is given twice.
    """
    if len(body) > LONGEST_BODY:
        raise TooLarge(f"The body has {len(body):,} bytes; the limit is {LONGEST_BODY:,}.", field="body")
    try:
        # not strict: a line break inside a string is taken, and other control characters are refused by field
        fields = json.loads(text_in(body), strict=False, object_pairs_hook=members)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("body", f"The body is not JSON: {error}. Send a JSON object with a `prompt`.") from error
    if not isinstance(fields, dict):
        raise InvalidRequest(
            "body", 'The body must be a JSON object, such as {"prompt": "a peaceful piano"}.', why="wrong_type"
        )
    return fields


def text_in(body: bytes) -> str:
    """The body as text; raises InvalidRequest unless it is UTF-8."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = f"byte {error.start + 1:,} is 0x{body[error.start]:02X}"
        raise InvalidRequest("body", f"The body is not UTF-8: {where}. Encode the JSON object as UTF-8.") from error


def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of an object; raises InvalidRequest for one that is given twice."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidRequest(shown(name), f"`{shown(name)}` is given twice in one object; send it once.")
        found[name] = value
    return found
