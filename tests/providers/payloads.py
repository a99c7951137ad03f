"""The tokens and the smallest valid media that servers and tests exchange."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

from PIL import Image

from tests.harness.media import video_file

__all__ = ("OWN_TOKEN", "SOUND", "TOKEN", "encoded", "image_file", "image_in", "packed", "video_file")

TOKEN = "hf_AbCdEfGh0123456789"
OWN_TOKEN = "own-server-secret"


def image_file(form: str = "PNG", color: str = "teal") -> bytes:
    """An image of 64 by 48 pixels."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48), color).save(file, form)
    return file.getvalue()


def packed(data: bytes) -> str:
    """The data as base64."""
    return base64.b64encode(data).decode()


def image_in(data_uri: str) -> bytes:
    """The bytes in a base64 data URI."""
    return base64.b64decode(data_uri.partition(",")[2])


def encoded(payload: Any) -> bytes:
    """A body: bytes as they are, anything else as JSON."""
    return payload if isinstance(payload, bytes) else json.dumps(payload).encode()


SOUND = encoded({"audio": [[[0.0, 0.5]]], "sampling_rate": 32000})
