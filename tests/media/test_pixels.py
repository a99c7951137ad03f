"""A black PNG is told apart from a dark one, with every filter that its rows may use."""

from __future__ import annotations

from pathlib import Path

import pytest
from longplay.media.files import describe
from longplay.media.pixels import is_black
from PIL import Image


def _saved_is_black(image: Image.Image, folder: Path, **options: object) -> bool:
    """Saves the image as PNG and returns whether that file counts as black."""
    path = folder / "image.png"
    image.save(path, format="PNG", **options)
    return is_black(describe(path))


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(1, 1), (640, 480), (1536, 1536)])
def test_a_black_image_is_black(tmp_path: Path, mode: str, size: tuple[int, int]) -> None:
    """Pillow writes the file, as it does in every diffusers pipeline."""
    assert _saved_is_black(Image.new(mode, size), tmp_path)


@pytest.mark.parametrize("where", [(0, 0), (639, 479), (320, 1)])
def test_one_pixel_that_is_not_quite_black_makes_an_image_not_black(tmp_path: Path, where: tuple[int, int]) -> None:
    """The pixel may be anywhere in the image."""
    image = Image.new("RGB", (640, 480))
    image.putpixel(where, (0, 0, 1))
    assert not _saved_is_black(image, tmp_path)


def test_a_truncated_file_is_judged_by_the_rows_it_contains(tmp_path: Path) -> None:
    """No error is raised."""
    path = tmp_path / "image.png"
    Image.effect_noise((640, 480), 90).convert("RGB").save(path, format="PNG")
    media = describe(path)
    path.write_bytes(path.read_bytes()[:2_000])
    assert not is_black(media)


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_a_file_that_is_not_png_never_counts_as_black(tmp_path: Path, form: str) -> None:
    """Other formats would have to be decoded first."""
    path = tmp_path / "image"
    Image.new("RGB", (64, 64)).save(path, format=form)
    assert not is_black(describe(path))
