"""Parses and validates a request body against the catalogue."""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from longplay.domain.catalogue import Bound, Catalogue, Kind, Model
from longplay.domain.errors import InvalidRequest, TooLarge
from longplay.media.files import HEAD, sniff

LONGEST_BODY = 4_500_000  # bytes; a Lambda request is at most 6 MB (AWS limit), base64 included
LONGEST_PROMPT = 2_000  # characters; keeps a job's item small
LONGEST_IMAGE = 3 * 1024 * 1024  # characters of the data URI; a larger image must be uploaded
IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp")
MOST_TAGS = 16
LONGEST_TAG = 100  # characters
SHORTEST_DEADLINE = 30  # seconds
MOST_CHARGES = 5

_UPLOAD = re.compile(r"upload:(?P<id>[0-9a-f]{32})")

_NOT_COMMERCIAL = "its license forbids commercial use. Choose one of"

_Value = int | float | str


class GenerationRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One generation in canonical form: defaults filled in, aliases resolved."""

    kind: Kind
    model: str
    prompt: str
    parameters: dict[str, _Value]
    image_sha256: str | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of model, prompt, parameters, seed and image; equal requests have equal fingerprints."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed body: the generation, and how the caller wants it carried out.

    The input image is either in `image`, or not loaded yet and stored under the upload id `upload`.
    """

    request: GenerationRequest
    body_hash: str
    image: bytes | None = None
    upload: str | None = None
    max_charges: int = 2
    deadline_seconds: int | None = None
    fresh: bool = False
    tags: dict[str, str] = {}

    @property
    def has_image(self) -> bool:
        """Whether the generation has an input image."""
        return self.upload is not None or self.request.image_sha256 is not None

    def showing(self, image: bytes) -> Submission:
        """The submission with its image loaded; raises InvalidRequest unless the bytes are an image."""
        return replace(self, image=_checked_image(image), request=replace(self.request, image_sha256=_sha256(image)))


def parse_submission(body: bytes, catalogue: Catalogue, *, longest_deadline: int) -> Submission:
    """The submission in a JSON body; raises TooLarge, or InvalidRequest with the field and its bound."""
    fields = _decode(body)
    body_hash = hashlib.sha256(msgspec.json.encode(fields, order="sorted")).hexdigest()
    model = _model(fields, catalogue)
    image = _image(fields.pop("image", None), model)
    prompt = _prompt(fields.pop("prompt", None), model)
    options = {name: read(fields.pop(name), longest_deadline) for name, read in _OPTIONS.items() if name in fields}
    request = GenerationRequest(
        kind=model.kind,
        model=model.name,
        prompt=prompt,
        parameters=_parameters(fields, model),
    )
    submission = Submission(request=request, body_hash=body_hash, **options)
    return submission.showing(image) if isinstance(image, bytes) else replace(submission, upload=image)


def parse_upload(body: bytes) -> str | None:
    """The content type the caller declares for an upload, if any; raises InvalidRequest or TooLarge."""
    fields = _decode(body or b"{}")
    content_type: str | None = fields.pop("content_type", None)
    if content_type not in (None, *IMAGE_TYPES):
        raise InvalidRequest("content_type", f"`content_type` must be one of {', '.join(IMAGE_TYPES)}, or left out.")
    if unknown := next(iter(fields), None):
        raise InvalidRequest(unknown[:60], f"`{unknown[:60]}` is unknown; an upload takes only `content_type`.")
    return content_type


def _decode(body: bytes) -> dict[str, Any]:
    if len(body) > LONGEST_BODY:
        raise TooLarge(f"The body has {len(body):,} bytes; the limit is {LONGEST_BODY:,}.")
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest("body", f"The body is not JSON: {error}. Send a JSON object with a `prompt`.") from error
    if not isinstance(fields, dict):
        raise InvalidRequest("body", 'The body must be a JSON object, such as {"prompt": "a peaceful piano"}.')
    return fields


def _model(fields: dict[str, Any], catalogue: Catalogue) -> Model:
    kind, name = fields.pop("kind", None), fields.pop("model", None)
    if kind is not None and kind not in list(Kind):
        raise InvalidRequest("kind", f"`kind` must be one of {', '.join(Kind)}.")
    if name is None:
        return _default(Kind(kind) if kind else catalogue.default_kind, catalogue)
    model = catalogue.find(name) if isinstance(name, str) else None
    if model is None:
        raise InvalidRequest("model", f"`model` is unknown. Choose one of {_offered(catalogue)}.")
    if not catalogue.offers(model):
        raise InvalidRequest("model", f"{model.name} is not offered here: {_NOT_COMMERCIAL} {_offered(catalogue)}.")
    if kind not in (None, model.kind):
        raise InvalidRequest("kind", f"`kind` is {kind}, but {model.name} generates {model.kind}. Leave `kind` out.")
    return model


def _default(kind: Kind, catalogue: Catalogue) -> Model:
    model = catalogue.default(kind)
    if model is None:
        raise InvalidRequest("kind", f"No model for {kind} is offered here: {_NOT_COMMERCIAL} {_offered(catalogue)}.")
    return model


def _offered(catalogue: Catalogue) -> str:
    return ", ".join(model.name for model in catalogue.offered)


def _prompt(value: object, model: Model) -> str:
    if value is None and model.from_image:
        return ""
    if value is None:
        raise InvalidRequest("prompt", "`prompt` is missing: describe in words what to generate.")
    return _text("prompt", value, longest=LONGEST_PROMPT)


def _text(field: str, value: object, *, longest: int) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(field, f"`{field}` must be text.")
    text = value.strip()
    if not text:
        raise InvalidRequest(field, f"`{field}` is empty; it must have 1 to {longest:,} characters.")
    if len(text) > longest:
        raise InvalidRequest(field, f"`{field}` has {len(text):,} characters; the limit is {longest:,}.")
    if any(not character.isprintable() and character not in "\n\t" for character in text):
        raise InvalidRequest(field, f"`{field}` contains a control or unprintable character. Send plain text.")
    return text


def _image(value: object, model: Model) -> bytes | str | None:
    """The bytes of a data URI, or the id of an upload; None for a model without an input image."""
    if value is None and not model.from_image:
        return None
    if not model.from_image:
        raise InvalidRequest("image", f"{model.name} does not take `image`: it generates {model.kind} from text.")
    if isinstance(value, str) and (upload := _UPLOAD.fullmatch(value)):
        return upload["id"]
    if not isinstance(value, str) or not value.startswith("data:"):
        raise InvalidRequest("image", f"{model.name} starts from an image: send `image` as {_HOW_TO_SEND_IMAGE}.")
    if len(value) > LONGEST_IMAGE:
        raise InvalidRequest("image", f"`image` has {len(value):,} characters; {_AT_MOST}")
    return _decoded(value.partition(",")[2])


_HOW_TO_SEND_IMAGE = "a data URI (data:image/png;base64,…), or as upload:<id> with the id of an upload (POST /uploads)"
_AT_MOST = f"the limit is {LONGEST_IMAGE:,}. Upload a larger image with POST /uploads and send its id here."


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest("image", "`image` is not a base64 data URI (data:image/png;base64,…).") from error


def _checked_image(data: bytes) -> bytes:
    if sniff(data[:HEAD]) not in IMAGE_TYPES:
        raise InvalidRequest("image", "`image` must be a PNG, JPEG or WebP image; its bytes are none of these.")
    return data


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _parameters(fields: Mapping[str, Any], model: Model) -> dict[str, _Value]:
    unknown = next((name for name in fields if name not in model.parameters), None)
    if unknown is not None:
        raise InvalidRequest(unknown[:60], _unknown(unknown[:60], model))
    chosen = {name: fields.get(name, bound.default) for name, bound in model.parameters.items()}
    return {
        name: _CHECKS[bound.type](name, chosen[name], bound)
        for name, bound in model.parameters.items()
        if chosen[name] is not None
    }


def _unknown(field: str, model: Model) -> str:
    accepted = ", ".join(["prompt", *(["image"] if model.from_image else []), *model.parameters, *_OPTIONS])
    return f"`{field}` is not a field of {model.name}, which generates {model.kind}; it takes: {accepted}."


def _number(field: str, value: object, bound: Bound) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or _is_not_finite(value):
        raise InvalidRequest(field, f"`{field}` must be a number{_range(bound)}.")
    if not _in_bounds(value, bound):
        raise InvalidRequest(field, f"`{field}` is out of bounds: it must be a number{_range(bound)}.")
    # 10.0 and 10 must have one fingerprint; DynamoDB also stores 10.0 as 10
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_not_finite(value: float) -> bool:
    """Whether a number is NaN or infinite. An int never is, and a large one overflows `math.isfinite`."""
    return isinstance(value, float) and not math.isfinite(value)


def _integer(field: str, value: object, bound: Bound) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRequest(field, f"`{field}` must be a whole number{_range(bound)}.")
    if not _in_bounds(value, bound) or (bound.step and value % bound.step):
        raise InvalidRequest(field, f"`{field}` is out of bounds: it must be a whole number{_range(bound)}.")
    return value


def _in_bounds(value: float, bound: Bound) -> bool:
    return (bound.least is None or value >= bound.least) and (bound.most is None or value <= bound.most)


def _range(bound: Bound) -> str:
    steps = f", a multiple of {bound.step}" if bound.step else ""
    lower = f" from {bound.least:g}" if bound.least is not None else ""
    upper = f" to {bound.most:.10g}" if bound.most is not None else ""
    return lower + upper + steps


def _text_parameter(field: str, value: object, bound: Bound) -> str:
    return _text(field, value, longest=bound.longest or LONGEST_PROMPT)


_CHECKS: dict[str, Callable[[str, Any, Bound], _Value]] = {
    "number": _number,
    "integer": _integer,
    "text": _text_parameter,
}


def _max_charges(value: object, _longest_deadline: int) -> int:
    return _integer("max_charges", value, Bound(type="integer", least=1, most=MOST_CHARGES))


def _deadline_seconds(value: object, longest_deadline: int) -> int:
    return _integer("deadline_seconds", value, Bound(type="integer", least=SHORTEST_DEADLINE, most=longest_deadline))


def _fresh(value: object, _longest_deadline: int) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequest(
            "fresh", "`fresh` must be true or false; true generates a new result, even if one is cached."
        )
    return value


def _tags(value: object, _longest_deadline: int) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MOST_TAGS:
        raise InvalidRequest("tags", f"`tags` must be an object of at most {MOST_TAGS} short texts.")
    return {
        _text("tags", name, longest=LONGEST_TAG): _text("tags", tag, longest=LONGEST_TAG) for name, tag in value.items()
    }


_OPTIONS: dict[str, Callable[[object, int], Any]] = {
    "max_charges": _max_charges,
    "deadline_seconds": _deadline_seconds,
    "fresh": _fresh,
    "tags": _tags,
}
