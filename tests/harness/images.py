"""Small valid images to start a generation from."""

from __future__ import annotations

import base64
import io

from PIL import Image


def encoded_image(form: str = "PNG", size: tuple[int, int] = (64, 48)) -> bytes:
    """An image file of this format (PNG, JPEG or WEBP) and size in pixels."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(file, form)
    return file.getvalue()


def data_uri(image: bytes) -> str:
    """The image as a request contains it; its type is told by its bytes."""
    return f"data:image/png;base64,{base64.b64encode(image).decode()}"
