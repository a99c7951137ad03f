"""A black image is told from a dark one, whatever its rows are filtered by."""

from __future__ import annotations

from pathlib import Path

import pytest
from longplay.media.files import describe
from longplay.media.pixels import is_black
from PIL import Image


def _saved(image: Image.Image, folder: Path, **options: object) -> bool:
    path = folder / "image.png"
    image.save(path, format="PNG", **options)
    return is_black(describe(path))


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(1, 1), (640, 480), (1536, 1536)])
def test_a_black_image_is_black(tmp_path: Path, mode: str, size: tuple[int, int]) -> None:
    """As Pillow, and so every pipeline of diffusers, writes it."""
    assert _saved(Image.new(mode, size), tmp_path)


@pytest.mark.parametrize("where", [(0, 0), (639, 479), (320, 1)])
def test_one_pixel_that_is_not_quite_black_is_enough(tmp_path: Path, where: tuple[int, int]) -> None:
    """Wherever it lies."""
    image = Image.new("RGB", (640, 480))
    image.putpixel(where, (0, 0, 1))
    assert not _saved(image, tmp_path)


def test_a_file_that_breaks_off_is_judged_by_what_is_there(tmp_path: Path) -> None:
    """And raises nothing."""
    path = tmp_path / "image.png"
    Image.effect_noise((640, 480), 90).convert("RGB").save(path, format="PNG")
    media = describe(path)
    path.write_bytes(path.read_bytes()[:2_000])
    assert not is_black(media)


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_of_other_files_nothing_is_said(tmp_path: Path, form: str) -> None:
    """They would have to be decoded."""
    path = tmp_path / "image"
    Image.new("RGB", (64, 64)).save(path, format=form)
    assert not is_black(describe(path))
