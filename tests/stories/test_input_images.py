"""An image to start from is checked before anything is queued: its type, its size in pixels, and that it is whole."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import requests
from longplay.domain.errors import InvalidRequest
from longplay.domain.input_images import LONGEST_IMAGE, image_of
from longplay.domain.models_file import load_catalogue
from longplay.providers import PROVIDERS
from PIL import Image

from tests.harness.aws import BUCKET, TABLE
from tests.harness.images import data_uri, encoded_image
from tests.harness.product import Answer, Product

PNG, JPEG, WEBP = (encoded_image(form) for form in ("PNG", "JPEG", "WEBP"))


def _by_data_uri(product: Product, image: bytes) -> Answer:
    return product.post("/generate", {"model": "svd", "image": data_uri(image)})


def test_a_data_uri_may_be_as_long_as_is_said() -> None:
    """And not a character longer."""
    model = load_catalogue(PROVIDERS).models["stable-video-diffusion"]
    begin = "data:abc;base64,"  # so long that the rest is whole groups of four
    longest = begin + "A" * (LONGEST_IMAGE - len(begin))
    assert isinstance(image_of(longest, model), bytes)
    with pytest.raises(InvalidRequest, match="3,145,732 characters; the limit is 3,145,728"):
        image_of(f"{longest}AAAA", model)


def _by_upload(product: Product, image: bytes) -> Answer:
    upload = product.post("/uploads").json
    answer = requests.post(upload["url"], data=upload["fields"], files={"file": image}, timeout=30)
    assert answer.status_code == 204, answer.text
    return product.post("/generate", {"model": "svd", "image": upload["image"]})


WAYS = {"data URI": _by_data_uri, "upload": _by_upload}


def _png(width: int, height: int) -> bytes:
    """A PNG with all its chunks that says it has this size."""
    header = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(64))), (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def _saved(form: str, mode: str = "RGB", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((96, 64)).convert(mode).save(file, form, **options)
    return file.getvalue()


def _animated(form: str) -> bytes:
    frames = [Image.new("RGB", (32, 32), color) for color in ("red", "green", "blue")]
    file = io.BytesIO()
    frames[0].save(file, form, save_all=True, append_images=frames[1:])
    return file.getvalue()


def _with_thumbnail() -> bytes:
    """A JPEG as phones write it: with a thumbnail, a whole JPEG itself, in a segment before the image."""
    segment = b"\xff\xe1" + struct.pack(">H", len(JPEG) + 8) + b"Exif\0\0" + JPEG
    return JPEG[:2] + segment + JPEG[2:]


GOOD = {
    "PNG": PNG,
    "PNG of 1 × 1": _png(1, 1),
    "PNG of 50 megapixels": _png(10_000, 5_000),
    "PNG with a palette": _saved("PNG", "P"),
    "PNG with alpha": _saved("PNG", "RGBA"),
    "PNG with something behind its end": PNG + bytes(100),
    "animated PNG": _animated("PNG"),
    "JPEG": JPEG,
    "progressive JPEG": _saved("JPEG", progressive=True),
    "CMYK JPEG": _saved("JPEG", "CMYK"),
    "JPEG with restart markers": _saved("JPEG", restart_marker_blocks=1),
    "JPEG of a phone, with a thumbnail": _with_thumbnail(),
    "JPEG of a phone, with a video behind it": JPEG + bytes(1_000) + b"ftypmp42",
    "JPEG with a filled marker": JPEG[:2] + b"\xff\xe0\x00\x04ab\xff" + JPEG[2:],
    "WebP": WEBP,
    "lossless WebP": _saved("WEBP", lossless=True),
    "WebP with alpha": _saved("WEBP", "RGBA"),
    "animated WebP": _animated("WEBP"),
}


@pytest.mark.parametrize("image", GOOD.values(), ids=GOOD.keys())
def test_a_whole_image_is_taken(product: Product, image: bytes) -> None:
    """Every way in which encoders write these types is accepted."""
    answer = _by_data_uri(product, image)
    assert answer.status == 202, answer.body


BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "none of these"),
    "text": (b"hello", "none of these"),
    "a GIF": (b"GIF89a" + bytes(64), "none of these"),
    "a JPEG of 3 bytes": (JPEG[:3], "50,000,000 pixels"),
    "a WebP of 12 bytes": (WEBP[:12], "50,000,000 pixels"),
    "a PNG of 8 bytes": (PNG[:8], "50,000,000 pixels"),
    "0 × 0": (_png(0, 0), "says 0; it must have 1 to 50,000,000 pixels"),
    "0 × 64": (_png(0, 64), "1 to 50,000,000 pixels"),
    "50,000 × 50,000": (_png(50_000, 50_000), "50,000 × 50,000 = 2,500,000,000 pixels; the limit is 50,000,000"),
    "a pixel too many": (_png(50_000_001, 1), "the limit is 50,000,000"),
    "a header of PNG alone": (PNG[:33], "cut off"),
    "a PNG without its end": (PNG[:-12], "cut off"),
    "a PNG with a wrong checksum": (PNG[:60] + bytes([PNG[60] ^ 1]) + PNG[61:], "damaged"),
    "a PNG without its last byte": (PNG[:-1], "cut off"),
    "a JPEG without its end": (JPEG[:-2], "cut off"),
    "a JPEG with the end of its thumbnail alone": (_with_thumbnail()[:-2], "cut off"),
    "a WebP without its last byte": (WEBP[:-1], "cut off"),
    "a WebP of 30 bytes": (WEBP[:4] + struct.pack("<I", 22) + WEBP[8:30], "cut off"),
    **{
        f"{name} cut in half": (whole[: len(whole) // 2], "Send the whole file")
        for name, whole in GOOD.items()
        if len(whole) < 1_500
    },
}


@pytest.mark.parametrize("send", WAYS.values(), ids=WAYS.keys())
def test_a_broken_image_is_refused_before_anything_is_queued(
    product: Product, send: Callable[[Product, bytes], Answer]
) -> None:
    """The answer names `image`, what it is and the bound, and nothing is created."""
    for name, (image, bound) in BAD.items():
        answer = send(product, image)
        assert (answer.status, answer.json["field"], answer.json["charged"]) == (400, "image", "no"), name
        assert bound in answer.json["detail"], name
    assert product.aws.dynamodb.scan(TableName=TABLE)["Count"] == 0
    assert product.messages() == []
    assert product.aws.s3.list_objects_v2(Bucket=BUCKET, Prefix="inputs/")["KeyCount"] == 0


@pytest.mark.parametrize("whole", [PNG, JPEG, WEBP], ids=["PNG", "JPEG", "WebP"])
def test_an_image_that_is_cut_anywhere_is_refused(product: Product, whole: bytes) -> None:
    """No part of an image that begins at its start is taken for the whole."""
    step = max(1, len(whole) // 60)
    answers = [_by_data_uri(product, whole[:size]) for size in range(0, len(whole), step)]
    assert {(answer.status, answer.json["field"]) for answer in answers} == {(400, "image")}
