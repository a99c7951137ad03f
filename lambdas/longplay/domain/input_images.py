"""Checks the image that a generation starts from, before anything is queued: type, size, and that it is whole."""

from __future__ import annotations

import base64
import io
import re
import struct
from collections.abc import Callable, Mapping

import msgspec

from longplay.domain.catalogue import Model
from longplay.domain.errors import InvalidRequest
from longplay.media.broken import BrokenMedia
from longplay.media.files import HEAD, sniff
from longplay.media.headers import measure
from longplay.media.images import check_jpeg, check_png, check_webp

LONGEST_IMAGE = 3 * 1024 * 1024  # characters of the data URI; a larger image must be uploaded
MOST_PIXELS = 50_000_000  # a camera of 45 megapixels; above 89 Pillow warns of a decompression bomb

_CHECKS: Mapping[str, Callable[[bytes], None]] = {
    "image/png": check_png,
    "image/jpeg": check_jpeg,
    "image/webp": check_webp,
}
IMAGE_TYPES = tuple(_CHECKS)

_REFERENCE = re.compile(r"upload:(?P<upload>[0-9a-f]{32})|job:(?P<job>[a-z2-7]{26})")

_HOW_TO_SEND = (
    "a data URI (data:image/png;base64,…), as upload:<id> with the id of an upload (POST /uploads), "
    "or as job:<id> with the id of a job that started from it"
)
_AT_MOST = f"the limit is {LONGEST_IMAGE:,}. Upload a larger image with POST /uploads and send its id here."


class StoredImage(msgspec.Struct, frozen=True, kw_only=True):
    """An image that is in the bucket already: that of an upload or of a job, by its id."""

    upload: str | None = None
    job: str | None = None


def image_of(value: object, model: Model) -> bytes | StoredImage | None:
    """The bytes of a data URI, or where the image is stored; None for a model without one. Raises InvalidRequest."""
    if value is not None and not model.from_image:
        raise InvalidRequest("image", f"{model.name} does not take `image`: it generates {model.kind} from text.")
    if not model.from_image:
        return None
    if isinstance(value, str) and (reference := _REFERENCE.fullmatch(value)):
        return StoredImage(**reference.groupdict())
    if not isinstance(value, str) or not value.startswith("data:"):
        raise InvalidRequest("image", f"{model.name} starts from an image: send `image` as {_HOW_TO_SEND}.")
    if len(value) > LONGEST_IMAGE:
        raise InvalidRequest("image", f"`image` has {len(value):,} characters; {_AT_MOST}")
    return _decoded(value)


def checked_image(data: bytes) -> bytes:
    """The same bytes, if they are a whole image of a type and a size that models take; raises InvalidRequest."""
    content_type = sniff(data[:HEAD]) or ""
    if content_type not in _CHECKS:
        raise InvalidRequest("image", "`image` must be a PNG, JPEG or WebP image; its bytes are none of these.")
    file = f"{len(data):,} bytes of {content_type}"
    measures = measure(io.BytesIO(data), content_type)
    _check_size(measures.width or 0, measures.height or 0, file)
    try:
        _CHECKS[content_type](data)
    except (BrokenMedia, struct.error, IndexError) as error:
        raise InvalidRequest("image", f"`image` ({file}) is cut off or damaged. Send the whole file.") from error
    return data


def _decoded(uri: str) -> bytes:
    try:
        return base64.b64decode(uri.encode("ascii").partition(b",")[2], validate=True)
    except ValueError as error:
        raise InvalidRequest("image", "`image` is not a base64 data URI (data:image/png;base64,…).") from error


def _check_size(width: int, height: int, file: str) -> None:
    if not width * height:
        raise InvalidRequest(
            "image", f"`image` ({file}) does not say its size, or says 0; it must have 1 to {MOST_PIXELS:,} pixels."
        )
    if width * height > MOST_PIXELS:
        raise InvalidRequest(
            "image",
            f"`image` has {width:,} × {height:,} = {width * height:,} pixels; the limit is {MOST_PIXELS:,}. "
            "Send a smaller image.",
        )
