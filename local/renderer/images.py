"""Images from a prompt, by procedure: its words choose the hour and the subject, layers of scenery do the rest."""

import hashlib
import re
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from local.renderer import scenery, skies
from local.renderer.abstract import ribbons
from local.renderer.canvas import Canvas, Layer, Pixels, View, to_bytes
from local.renderer.palettes import PALETTE_WORDS, PALETTES, Palette

CAPTION = "Longplay stand-in: rendered by procedure, no model"

GROUND: tuple[tuple[Layer, tuple[str, ...]], ...] = (
    (scenery.mountains, ("mountain", "mountains", "alps", "peak", "peaks", "valley", "himalaya", "snowy")),
    (
        scenery.city,
        ("city", "skyline", "skyscraper", "skyscrapers", "tokyo", "york", "street", "cyberpunk", "town"),
    ),
    (scenery.dunes, ("desert", "dunes", "sahara", "sand")),
    (
        scenery.water,
        (
            "sea",
            "ocean",
            "lake",
            "water",
            "river",
            "beach",
            "waves",
            "island",
            "harbour",
            "harbor",
            "reflection",
        ),
    ),
    (scenery.forest, ("forest", "woods", "trees", "tree", "pine", "pines", "jungle", "woodland")),
    (
        scenery.meadow,
        ("flowers", "flower", "meadow", "garden", "field", "roses", "tulips", "poppies", "blossom"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A prompt understood: which colors, which layers back to front, and the key that all chance comes from."""

    palette: Palette
    layers: tuple[Layer, ...]
    key: str
    detail: int
    contrast: float


def compose(prompt: str, *, seed: int = 0, steps: int = 30, guidance: float = 7.5, negative: str = "") -> Scene:
    """More steps give finer detail, more guidance more contrast; words of `negative` are left out."""
    words = set(_words(prompt)) - set(_words(negative))
    key = f"{seed}\n{prompt}\n{negative}"
    hour = _hour(words, key)
    return Scene(
        palette=PALETTES[hour],
        layers=_layers(words, PALETTES[hour]),
        key=key,
        detail=int(np.clip(2 + steps // 7, 2, 7)),
        contrast=float(np.clip(1 + (guidance - 7.5) * 0.03, 0.7, 1.4)),
    )


def paint(scene: Scene, *, width: int, height: int, pan: float = 0.0, time: float = 0.0) -> Image.Image:
    """An RGB image; `pan` moves the camera (in image heights), `time` the water and the clouds (in seconds)."""
    view = View(
        width=width,
        height=height,
        palette=scene.palette,
        chance=lambda name: np.random.default_rng(_digest(f"{scene.key}\n{name}")),
        pan=pan,
        time=time,
        detail=scene.detail,
    )
    canvas = np.zeros((height, width, 3), np.float32)
    for layer in scene.layers:
        canvas = layer(canvas, view)
    return caption(Image.fromarray(_develop(canvas, view, scene.contrast)))


def caption(image: Image.Image) -> Image.Image:
    """The image with a small honest line at its lower edge; too small an image stays as it is."""
    width, height = image.size
    font = ImageFont.load_default(size=max(8, height // 48))
    if width < 160 or font.getlength(CAPTION) > width - 8:
        return image
    draw = ImageDraw.Draw(image, "RGBA")
    draw.text((width - 6, height - 5), CAPTION, font=font, fill=(255, 255, 255, 110), anchor="rs")
    return image


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def _hour(words: set[str], key: str) -> str:
    unnamed = ("day", "dawn", "sunset", "tropical", "neon")[_digest(key) % 5]
    return next((hour for hour, names in PALETTE_WORDS.items() if words & set(names)), unnamed)


def _layers(words: set[str], palette: Palette) -> tuple[Layer, ...]:
    ground = tuple(layer for layer, names in GROUND if words & set(names))
    cosmic = bool(words & {"galaxy", "nebula", "space", "milky", "cosmos", "universe"})
    outdoors = ground or cosmic or any(words & set(names[:6]) for names in PALETTE_WORDS.values())
    if "abstract" in words or not outdoors:
        return (ribbons,)
    above: list[Layer] = [skies.sky]
    above += [skies.stars] if palette.stars else []
    above += [skies.galaxy] if cosmic or words & {"stars", "starry"} else []
    above += [skies.sun]
    above += [] if cosmic or words & {"clear", "cloudless"} else [skies.clouds]
    return (*above, *(ground or (scenery.hills,)))


def _develop(canvas: Canvas, view: View, contrast: float) -> Pixels:
    """Contrast, a breath of vignette, and grain against banding."""
    edge = np.hypot(view.x / view.breadth - 0.5, view.y - 0.5)[..., None]
    toned = (canvas - 0.5) * np.float32(contrast) + 0.5
    toned = toned * (1.03 - 0.35 * edge**2)
    grain = view.chance("grain").normal(0, 0.008, (view.height, view.width, 1)).astype(np.float32)
    return to_bytes(toned + grain)


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
