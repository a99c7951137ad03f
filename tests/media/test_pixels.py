"""A black image is told apart from a dark one, in every format that is decoded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from longplay.media.description import describe
from longplay.media.pixels import is_black
from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


def _saved_is_black(image: Image.Image, folder: Path, form: str = "PNG", **options: Any) -> bool:
    """Saves the image and returns whether that file counts as black."""
    path = folder / "image"
    image.save(path, format=form, **options)
    return is_black(describe(path))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("size", [(1, 1), (640, 480), (1536, 1536)])
def test_a_black_image_is_black_in_every_format(tmp_path: Path, form: str, size: tuple[int, int]) -> None:
    """Pillow writes the file, as it does in every diffusers pipeline."""
    assert _saved_is_black(Image.new("RGB", size), tmp_path, form)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_black_png_is_black_in_every_mode(tmp_path: Path, mode: str) -> None:
    """Black and white, gray, a palette, with transparency, and with 16 bits."""
    black = Image.new("RGBA", (640, 480), (0, 0, 0, 255)).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        black = Image.fromarray(np.zeros((480, 640), dtype=np.uint16))
    assert _saved_is_black(black, tmp_path)


def test_a_palette_whose_black_is_not_the_first_color_is_black(tmp_path: Path) -> None:
    """The color counts, not its number."""
    image = Image.new("P", (64, 64), 3)
    image.putpalette([255, 255, 255] * 3 + [0, 0, 0])
    assert _saved_is_black(image, tmp_path)


@pytest.mark.parametrize("form", ["PNG", "GIF"])
@pytest.mark.parametrize("where", [(0, 0), (639, 479), (320, 1)])
def test_one_pixel_that_is_not_quite_black_makes_an_image_not_black(
    tmp_path: Path, form: str, where: tuple[int, int]
) -> None:
    """The pixel may be anywhere in the image."""
    image = Image.new("RGB", (640, 480))
    image.putpixel(where, (0, 0, 1))
    assert not _saved_is_black(image, tmp_path, form)


def test_a_16_bit_image_is_black_only_if_all_bits_are_zero(tmp_path: Path) -> None:
    """The low byte counts too."""
    dark = np.zeros((48, 64), dtype=np.uint16)
    dark[7, 7] = 9
    assert not _saved_is_black(Image.fromarray(dark), tmp_path)


def test_a_dark_photo_is_not_black(tmp_path: Path) -> None:
    """Noise of a few shades, as a night sky has it."""
    noise = np.random.default_rng(1).integers(0, 4, (256, 256, 3), dtype=np.uint8)
    for form in FORMATS:
        assert not _saved_is_black(Image.fromarray(noise), tmp_path, form)


def test_an_animated_image_is_never_black(tmp_path: Path) -> None:
    """A video may begin with a black frame."""
    frames = [Image.new("RGB", (64, 64), color) for color in ("black", "teal")]
    assert not _saved_is_black(frames[0], tmp_path, "GIF", save_all=True, append_images=frames[1:])


def test_an_image_that_cannot_be_decoded_is_not_black(tmp_path: Path) -> None:
    """No error is raised, because the file is paid for."""
    path = tmp_path / "image"
    Image.new("RGB", (640, 480)).save(path, format="PNG")
    media = describe(path)
    path.write_bytes(path.read_bytes()[:200])
    assert not is_black(media)
