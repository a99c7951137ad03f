"""Detects an all-black image: a complete and valid file that a safety checker, or NaN in a model's weights, leaves.

Pillow decodes it. A black image compresses to almost nothing, so only small files are decoded, and Pillow, which takes
35 ms to import, is not loaded for others. A black image of one megapixel then takes 10 ms (one core, 2026-11).
"""

from __future__ import annotations

from typing import Any

from longplay.media.files import MediaFile

BLACK = (
    "The image is all black. Either a safety checker blocked it, or the model failed (NaN in its numbers). "
    "If you did not ask for black, change the prompt or the seed."
)

_SMALL = 64 * 1024  # bytes
_DENSEST = 1 / 20  # bytes a pixel
_MOST_PIXELS = 50_000_000  # 150 MB of memory
_SCALED = 8  # a JPEG is decoded at an eighth of its size


def is_black(media: MediaFile) -> bool:
    """Whether a PNG, JPEG, WebP or GIF image of at most 50 megapixels is all black, apart from transparency.

    False for an animated one, and for one that cannot be decoded.
    """
    pixels = (media.width or 0) * (media.height or 0)
    if not media.content_type.startswith("image/") or not 0 < pixels <= _MOST_PIXELS:
        return False
    if media.bytes > max(_SMALL, pixels * _DENSEST):
        return False
    try:
        return _brightest(media) == 0
    except Exception:  # noqa: BLE001 - the file is paid for and kept, also if a decoder fails on it
        return False


def _brightest(media: MediaFile) -> float | None:
    """The largest value of any color in the image; None if it is animated."""
    from PIL import Image

    with Image.open(media.path) as image:
        if getattr(image, "is_animated", False):
            return None
        image.draft("RGB", (image.width // _SCALED + 1, image.height // _SCALED + 1))
        deep = image.mode.startswith(("I", "F"))  # 16 bits or more, which a conversion would cut off
        mode = "RGBA" if image.mode == "P" else "RGB"  # Pillow warns of a palette with transparency
        bands: Any = (image if deep else image.convert(mode)).getextrema()
    return float(max(bands) if deep else max(band[1] for band in bands[:3]))
