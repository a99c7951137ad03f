"""What a caller asks for: a JSON body, held against the catalogue field by field."""

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

LONGEST_BODY = 4_500_000  # bytes; a Lambda's request ends at 6 MB (AWS limit), base64 included
LONGEST_PROMPT = 2_000  # characters: a job's item stays small
LONGEST_IMAGE = 3 * 1024 * 1024  # characters of the data URI; a larger image is uploaded
IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp")
MOST_TAGS = 16
LONGEST_TAG = 100  # characters
SHORTEST_DEADLINE = 30  # seconds
MOST_CHARGES = 5

_UPLOAD = re.compile(r"upload:(?P<id>[0-9a-f]{32})")

_NOT_COMMERCIAL = "its license rules commercial use out, and the operator wants what it allows. Choose one of"

_Value = int | float | str


class GenerationRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One generation in canonical form: defaults filled in, aliases resolved."""

    kind: Kind
    model: str
    prompt: str
    parameters: dict[str, _Value]
    image_sha256: str | None = None

    @property
    def text(self) -> str:
        """The prompt as a model reads it: the genre belongs to what is asked."""
        genre = self.parameters.get("genre")
        return f"{genre}, {self.prompt}" if genre else self.prompt

    @property
    def fingerprint(self) -> str:
        """What makes two requests the same: model, prompt, parameters, seed and image."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed body: the generation, and how its caller wants it carried out.

    An image to start from is in `image`, or yet to be found under the id `upload`.
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
        """Whether the generation starts from an image."""
        return self.upload is not None or self.request.image_sha256 is not None

    def showing(self, image: bytes) -> Submission:
        """The same with its image found; raises InvalidRequest unless its bytes are an image's."""
        return replace(self, image=_checked_image(image), request=replace(self.request, image_sha256=_sha256(image)))


def parse_submission(body: bytes, catalogue: Catalogue, *, longest_deadline: int) -> Submission:
    """The submission in a JSON body; raises InvalidRequest naming the field and its bound, or TooLarge."""
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
    """The content type a caller says an image will have, if any; raises InvalidRequest, or TooLarge."""
    fields = _decode(body or b"{}")
    content_type: str | None = fields.pop("content_type", None)
    if content_type not in (None, *IMAGE_TYPES):
        raise InvalidRequest("content_type", f"`content_type` must be one of {', '.join(IMAGE_TYPES)}, or left out.")
    if unknown := next(iter(fields), None):
        raise InvalidRequest(unknown[:60], f"`{unknown[:60]}` is not taken; an upload takes `content_type` alone.")
    return content_type


def _decode(body: bytes) -> dict[str, Any]:
    if len(body) > LONGEST_BODY:
        raise TooLarge(f"The body has {len(body):,} bytes; at most {LONGEST_BODY:,} are taken.")
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
        raise InvalidRequest("model", f"`model` is not known here; choose one of {_offered(catalogue)}.")
    if not catalogue.offers(model):
        raise InvalidRequest("model", f"{model.name} is not offered here: {_NOT_COMMERCIAL} {_offered(catalogue)}.")
    if kind not in (None, model.kind):
        raise InvalidRequest("kind", f"`kind` is {kind}, but {model.name} makes {model.kind}; leave `kind` out.")
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
        raise InvalidRequest("prompt", "`prompt` is missing: say in words what to generate.")
    return _text("prompt", value, longest=LONGEST_PROMPT)


def _text(field: str, value: object, *, longest: int) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(field, f"`{field}` must be text.")
    text = value.strip()
    if not text:
        raise InvalidRequest(field, f"`{field}` is empty; it must have 1 to {longest:,} characters.")
    if len(text) > longest:
        raise InvalidRequest(field, f"`{field}` has {len(text):,} characters; at most {longest:,} are taken.")
    if any(not character.isprintable() and character not in "\n\t" for character in text):
        raise InvalidRequest(field, f"`{field}` holds a control or unprintable character; send plain text.")
    return text


def _image(value: object, model: Model) -> bytes | str | None:
    """The bytes of a data URI, or the id of an upload."""
    if value is None and not model.from_image:
        return None
    if not model.from_image:
        raise InvalidRequest("image", f"`image` is not taken by {model.name}, which makes {model.kind} from words.")
    if isinstance(value, str) and (upload := _UPLOAD.fullmatch(value)):
        return upload["id"]
    if not isinstance(value, str) or not value.startswith("data:"):
        raise InvalidRequest("image", f"{model.name} starts from an image: send `image` as {_AN_IMAGE}.")
    if len(value) > LONGEST_IMAGE:
        raise InvalidRequest("image", f"`image` has {len(value):,} characters; {_AT_MOST}")
    return _decoded(value.partition(",")[2])


_AN_IMAGE = "a data URI (data:image/png;base64,…), or as upload:<id> with the id of an upload (POST /uploads)"
_AT_MOST = f"at most {LONGEST_IMAGE:,} are taken. Upload a larger image with POST /uploads and name it here."


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest("image", "`image` is not a base64 data URI (data:image/png;base64,…).") from error


def _checked_image(data: bytes) -> bytes:
    if sniff(data[:HEAD]) not in IMAGE_TYPES:
        raise InvalidRequest("image", "`image` must hold a PNG, a JPEG or a WebP image; its bytes are none of these.")
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
    taken = ", ".join(["prompt", *(["image"] if model.from_image else []), *model.parameters, *_OPTIONS])
    return f"`{field}` is not taken by {model.name}, which makes {model.kind}; it takes: {taken}."


def _number(field: str, value: object, bound: Bound) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or _is_endless(value):
        raise InvalidRequest(field, f"`{field}` must be a number{_range(bound)}.")
    if not _within(value, bound):
        raise InvalidRequest(field, f"`{field}` is out of bounds: it must be a number{_range(bound)}.")
    # 10.0 is 10, here as in the table: equal requests must have one fingerprint
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_endless(value: float) -> bool:
    """Whole numbers of any length are finite, and too long for a float to say so."""
    return isinstance(value, float) and not math.isfinite(value)


def _integer(field: str, value: object, bound: Bound) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRequest(field, f"`{field}` must be a whole number{_range(bound)}.")
    if not _within(value, bound) or (bound.step and value % bound.step):
        raise InvalidRequest(field, f"`{field}` is out of bounds: it must be a whole number{_range(bound)}.")
    return value


def _within(value: float, bound: Bound) -> bool:
    return (bound.least is None or value >= bound.least) and (bound.most is None or value <= bound.most)


def _range(bound: Bound) -> str:
    steps = f", a multiple of {bound.step}" if bound.step else ""
    lower = f" from {bound.least:g}" if bound.least is not None else ""
    upper = f" to {bound.most:.10g}" if bound.most is not None else ""
    return lower + upper + steps


def _worded(field: str, value: object, bound: Bound) -> str:
    return _text(field, value, longest=bound.longest or LONGEST_PROMPT)


_CHECKS: dict[str, Callable[[str, Any, Bound], _Value]] = {
    "number": _number,
    "integer": _integer,
    "text": _worded,
}


def _max_charges(value: object, _longest_deadline: int) -> int:
    return _integer("max_charges", value, Bound(type="integer", least=1, most=MOST_CHARGES))


def _deadline_seconds(value: object, longest_deadline: int) -> int:
    return _integer("deadline_seconds", value, Bound(type="integer", least=SHORTEST_DEADLINE, most=longest_deadline))


def _fresh(value: object, _longest_deadline: int) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequest("fresh", "`fresh` must be true or false: true generates anew where a result is known.")
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
