"""Parses and validates a request body against the catalogue."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from itertools import takewhile
from typing import Any

import msgspec
from msgspec.structs import replace

from longplay.domain.availability import available, no_default
from longplay.domain.body import decode_body
from longplay.domain.catalogue import Bound, Catalogue, Kind, Model
from longplay.domain.errors import InvalidRequest
from longplay.domain.faults import Faults
from longplay.domain.input_images import IMAGE_TYPES, StoredImage, checked_image, image_of
from longplay.domain.parameters import LONGEST_PROMPT, Value, parameters_of, whole_number
from longplay.domain.spellings import without_shown_members
from longplay.domain.texts import shown, text_of
from longplay.domain.webhook_urls import webhook_url

MOST_TAGS = 16
LONGEST_TAG = 100  # characters
SHORTEST_DEADLINE = 30  # seconds
MOST_CHARGES = 5

_NOT_COMMERCIAL = "its license forbids commercial use. Choose one of"


class GenerationRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One generation in canonical form: defaults filled in, aliases resolved."""

    kind: Kind
    model: str
    prompt: str
    parameters: dict[str, Value]
    image_sha256: str | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of model, prompt, parameters, seed and image; equal requests have equal fingerprints."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed body: the generation, and how the caller wants it carried out.

    The input image is either in `image`, or not loaded yet and `stored` in the bucket.
    """

    request: GenerationRequest
    body_hash: str
    image: bytes | None = None
    stored: StoredImage | None = None
    max_charges: int = 2
    deadline_seconds: int | None = None
    fresh: bool = False
    tags: dict[str, str] = {}
    webhook: str | None = None

    @property
    def has_image(self) -> bool:
        """Whether the generation has an input image."""
        return self.stored is not None or self.request.image_sha256 is not None

    def showing(self, image: bytes) -> Submission:
        """The submission with its image loaded; raises InvalidRequest unless it can be used."""
        return replace(self, image=checked_image(image), request=replace(self.request, image_sha256=_sha256(image)))


def parse_submission(
    body: bytes,
    catalogue: Catalogue,
    *,
    longest_deadline: int,
    private_webhooks: bool = False,
    draw: Callable[[int], int] = secrets.randbelow,
) -> Submission:
    """The submission in a JSON body; raises TooLarge, and as `submission_of` does."""
    return submission_of(
        decode_body(body),
        catalogue,
        longest_deadline=longest_deadline,
        private_webhooks=private_webhooks,
        draw=draw,
    )


def submission_of(
    members: Mapping[str, Any],
    catalogue: Catalogue,
    *,
    longest_deadline: int,
    private_webhooks: bool = False,
    draw: Callable[[int], int] = secrets.randbelow,
) -> Submission:
    """The submission in the members of a body. A null member is the same as one that is left out.

    `draw(n)` returns a random number below n, for a random seed. Raises InvalidRequest with each field that is not
    valid and its bound, and ModelUnavailable where no model was named and none is served.
    """
    fields = without_shown_members(dict(members))
    given = {name: value for name, value in fields.items() if value is not None}
    model, faults = _model(fields, catalogue), Faults()
    image = faults.check(lambda: image_of(fields.pop("image", None), model), None)
    prompt = faults.check(lambda: _prompt(fields, model), "")
    options = _options(fields, longest_deadline, faults)
    options["webhook"] = _webhook(fields, faults, private=private_webhooks)
    parameters = parameters_of(_flat(fields, model, faults), model, faults, draw=draw)
    faults.settle()
    request = GenerationRequest(kind=model.kind, model=model.name, prompt=prompt, parameters=parameters)
    submission = Submission(request=request, body_hash=_sha256(msgspec.json.encode(given, order="sorted")), **options)
    return submission.showing(image) if isinstance(image, bytes) else replace(submission, stored=image)


def parse_upload(body: bytes) -> str | None:
    """The content type the caller declares for an upload, if any; raises InvalidRequest or TooLarge."""
    fields = decode_body(body or b"{}")
    content_type: str | None = fields.pop("content_type", None)
    if content_type not in (None, *IMAGE_TYPES):
        raise InvalidRequest("content_type", f"`content_type` must be one of {', '.join(IMAGE_TYPES)}, or left out.")
    for unknown in map(shown, fields):
        raise InvalidRequest(unknown, f"`{unknown}` is unknown; an upload takes only `content_type`.")
    return content_type


def _model(fields: dict[str, Any], catalogue: Catalogue) -> Model:
    kind, name = fields.pop("kind", None), fields.pop("model", None)
    if kind is not None and kind not in list(Kind):
        raise InvalidRequest("kind", f"`kind` must be one of {', '.join(Kind)}.")
    if name is None:
        return _default(Kind(kind) if kind else None, catalogue)
    model = catalogue.find(name) if isinstance(name, str) else None
    if model is None:
        raise InvalidRequest("model", f"`model` is unknown. Choose one of {available(catalogue)}.")
    if not catalogue.offers(model):
        raise InvalidRequest("model", f"{model.name} is not offered here: {_NOT_COMMERCIAL} {available(catalogue)}.")
    if kind not in (None, model.kind):
        raise InvalidRequest("kind", f"`kind` is {kind}, but {model.name} generates {model.kind}. Leave `kind` out.")
    return model


def _default(kind: Kind | None, catalogue: Catalogue) -> Model:
    model = catalogue.default(kind)
    if model is None:
        raise no_default(kind, catalogue)
    return model


def _prompt(fields: dict[str, Any], model: Model) -> str:
    """The prompt, which Hugging Face's clients call `inputs`."""
    spelled = {name: fields.pop(name, None) for name in ("prompt", "inputs")}
    given = {name: value for name, value in spelled.items() if value is not None}
    if len(given) > 1:
        raise InvalidRequest("inputs", "`inputs` is another name of `prompt`, and both are given: send one of them.")
    name, value = next(iter(given.items()), ("prompt", None))
    if model.from_image and value in (None, ""):
        return ""
    if value is None:
        raise InvalidRequest(
            "prompt",
            f"`prompt` is missing: describe in words what to generate, in 1 to {LONGEST_PROMPT:,} characters.",
            why="missing",
        )
    return text_of(name, value, longest=LONGEST_PROMPT)


def _flat(fields: dict[str, Any], model: Model, faults: Faults) -> dict[str, Any]:
    """The parameters that stand in the body itself and those in its member `parameters`, by name."""
    nested: dict[str, Any] = faults.check(lambda: _nested(fields, model), {})
    faults.nested = {shown(name) for name, value in nested.items() if value is not None}
    for name in takewhile(lambda _: not faults.enough, [*fields, *nested]):
        if name not in model.parameters:
            faults.add(InvalidRequest(shown(name), _unknown(shown(name), model), why="unknown"))
        elif fields.get(name) is not None and nested.get(name) is not None:
            twice = f"`{name}` is given twice: in the body and in `parameters`. Send it once."
            faults.add(InvalidRequest(name, twice, why="given_twice"))
            nested = {**nested, name: None}
    return {**fields, **{name: value for name, value in nested.items() if value is not None}}


def _nested(fields: dict[str, Any], model: Model) -> dict[str, Any]:
    nested = fields.pop("parameters", None)
    if nested is not None and not isinstance(nested, dict):
        takes = f"`parameters` must be an object; it takes: {', '.join(model.parameters)}."
        raise InvalidRequest("parameters", takes, why="wrong_type")
    return nested or {}


def _unknown(field: str, model: Model) -> str:
    accepted = ", ".join(["prompt", *(["image"] if model.from_image else []), *model.parameters, *_OPTIONS, "webhook"])
    return (
        f"`{field}` is not a field of {model.name}, which generates {model.kind}; it takes: {accepted}. "
        "GET /models lists what other models take."
    )


def _options(fields: dict[str, Any], longest_deadline: int, faults: Faults) -> dict[str, Any]:
    given = {name: value for name in _OPTIONS if (value := fields.pop(name, None)) is not None}
    return {name: faults.check(partial(_OPTIONS[name], value, longest_deadline), None) for name, value in given.items()}


def _webhook(fields: dict[str, Any], faults: Faults, *, private: bool) -> str | None:
    url = fields.pop("webhook", None)
    return None if url is None else faults.check(lambda: webhook_url("webhook", url, private=private), None)


def _max_charges(value: object, _longest_deadline: int) -> int:
    return whole_number("max_charges", value, Bound(type="integer", least=1, most=MOST_CHARGES))


def _deadline_seconds(value: object, longest_deadline: int) -> int:
    bound = Bound(type="integer", least=SHORTEST_DEADLINE, most=longest_deadline)
    return whole_number("deadline_seconds", value, bound)


def _fresh(value: object, _longest_deadline: int) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequest(
            "fresh", "`fresh` must be true or false; true generates a new result, even if one is cached."
        )
    return value


def _tags(value: object, _longest_deadline: int) -> dict[str, str]:
    """The tags without white space around them; names that are then equal are refused."""
    if not isinstance(value, dict) or len(value) > MOST_TAGS:
        raise InvalidRequest("tags", f"`tags` must be an object of at most {MOST_TAGS} short texts.")
    tags: dict[str, str] = {}
    for name, tag in ((name, tag) for name, tag in value.items() if tag is not None):
        short = text_of("tags", name, longest=LONGEST_TAG, called=f"The name `{shown(name)}` in `tags`").strip()
        if short in tags:
            raise InvalidRequest("tags", f"`tags` has the name `{shown(short)}` twice, but for white space around it.")
        tags[short] = text_of("tags", tag, longest=LONGEST_TAG, called=f"The tag `{shown(name)}`").strip()
    return tags


_OPTIONS: dict[str, Callable[[object, int], Any]] = {
    "max_charges": _max_charges,
    "deadline_seconds": _deadline_seconds,
    "fresh": _fresh,
    "tags": _tags,
}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
