"""The schemas of request bodies, from the bounds that parse them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from longplay.domain.batch_body import LONGEST_ID
from longplay.domain.batches import MOST_LINES
from longplay.domain.catalogue import Bound, Catalogue, Kind
from longplay.domain.input_images import IMAGE_TYPES
from longplay.domain.parameters import LONGEST_PROMPT
from longplay.domain.request import LONGEST_TAG, MOST_CHARGES, MOST_TAGS, SHORTEST_DEADLINE
from longplay.domain.webhook_urls import LONGEST_URL

Schema = dict[str, Any]


def generate_request(catalogue: Catalogue, *, longest_deadline: int) -> Schema:
    """The body of POST /generate. A member that is null is the same as one that is left out."""
    parameters = {name: _any_of(bounds) for name, bounds in _bounds(catalogue).items()}
    prompt = _text(LONGEST_PROMPT, "In words, what to generate. Models that start from an image need none.")
    own: dict[str, Schema] = {
        "prompt": prompt,
        "inputs": {**prompt, "description": "Another name of `prompt`; send one of them."},
        "kind": {"enum": [*Kind, None], "description": "Chooses the default model of this kind."},
        "model": {"enum": [*_names(catalogue), None], "description": "A model's id or alias, as GET /models has them."},
        "parameters": {"type": ["object", "null"], "properties": parameters, "description": _NESTED},
        "image": {"type": ["string", "null"], "description": _IMAGE},
        "max_charges": _whole(1, MOST_CHARGES, "The most generations that may be charged, the first included."),
        "deadline_seconds": _whole(SHORTEST_DEADLINE, longest_deadline, "When the job fails if it has no result yet."),
        "fresh": {"type": ["boolean", "null"], "description": "Generates a new result, even if one is cached."},
        "tags": {
            "type": ["object", "null"],
            "maxProperties": MOST_TAGS,
            "additionalProperties": _text(LONGEST_TAG, "A tag of your own; lists can be filtered by it."),
        },
        "webhook": {**_text(LONGEST_URL, _WEBHOOK), "pattern": "^https://[!-~]+$"},
    }
    return {"type": "object", "properties": {**parameters, **own}, "additionalProperties": False, "description": _BODY}


def batch_request(catalogue: Catalogue, *, longest_deadline: int) -> Schema:
    """The body of POST /batches."""
    line = generate_request(catalogue, longest_deadline=longest_deadline)
    custom_id = _text(LONGEST_ID, "A name of your own for the line, different from all others.")
    properties = {"custom_id": custom_id, **line["properties"]}
    return {
        "type": "array",
        "minItems": 1,
        "maxItems": MOST_LINES,
        "items": {**line, "properties": properties, "description": "A line: a generation, as for POST /generate."},
        "description": _LINES,
    }


def upload_request() -> Schema:
    """The body of POST /uploads, which may be empty."""
    types = {"enum": [*IMAGE_TYPES, None], "description": "The image's type, checked when it is used."}
    return {"type": "object", "properties": {"content_type": types}, "additionalProperties": False}


def webhook_test_request() -> Schema:
    """The body of POST /webhooks/test."""
    url = {"type": "string", "maxLength": LONGEST_URL, "pattern": "^https://[!-~]+$", "description": _WEBHOOK}
    return {"type": "object", "properties": {"url": url}, "required": ["url"], "additionalProperties": False}


_WEBHOOK = "The address that is told, by a signed POST: https, port 443, a public name."
_BODY = (
    "The generation. Each model takes some of the parameters, within bounds that GET /models has; here are the widest."
)
_LINES = "The lines. As JSONL, each stands on a line and there are no brackets around them. At most 4.5 MB."
_NESTED = "The parameters, as Hugging Face's clients send them. Each stands here or in the body itself."
_IMAGE = (
    "The image to start from, for models that take one: a data URI (PNG, JPEG or WebP), `upload:` with the id of an "
    "upload, or `job:` with the id of a job that had one."
)


def _bounds(catalogue: Catalogue) -> dict[str, list[Bound]]:
    found: dict[str, list[Bound]] = {}
    for model in catalogue.offered:
        for name, bound in model.parameters.items():
            found.setdefault(name, []).append(bound)
    return found


def _names(catalogue: Catalogue) -> Iterable[str]:
    return (name for model in catalogue.offered for name in (model.name, *model.aliases))


def _any_of(bounds: list[Bound]) -> Schema:
    """The widest bounds of a parameter."""
    [kind] = {"string" if bound.type == "text" else bound.type for bound in bounds}
    widest = {
        "minimum": min((bound.least for bound in bounds if bound.least is not None), default=None),
        "maximum": max((bound.most for bound in bounds if bound.most is not None), default=None),
        "maxLength": max((bound.longest for bound in bounds if bound.longest is not None), default=None),
    }
    return {"type": [kind, "null"], **{name: value for name, value in widest.items() if value is not None}}


def _text(longest: int, description: str) -> Schema:
    return {"type": ["string", "null"], "maxLength": longest, "description": description}


def _whole(least: int, most: int, description: str) -> Schema:
    return {"type": ["integer", "null"], "minimum": least, "maximum": most, "description": description}
