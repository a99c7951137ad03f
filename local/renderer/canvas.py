"""Parts that every layer of an image shares: the view it is painted for, noise, and mixing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from local.renderer.palettes import Palette

Canvas = NDArray[np.floating[Any]]
Pixels = NDArray[np.uint8]
Chance = Callable[[str], np.random.Generator]
HORIZON = 0.62


@dataclass(frozen=True, kw_only=True)
class View:
    """The input of a layer: size in pixels, camera shift in image heights, seconds, octaves of detail."""

    width: int
    height: int
    palette: Palette
    chance: Chance
    pan: float = 0.0
    time: float = 0.0
    detail: int = 6

    @property
    def x(self) -> Canvas:
        return np.arange(self.width, dtype=np.float32)[None, :] / self.height

    @property
    def y(self) -> Canvas:
        return np.arange(self.height, dtype=np.float32)[:, None] / self.height

    @property
    def breadth(self) -> float:
        return self.width / self.height

    @property
    def sun(self) -> tuple[float, float]:
        place = self.chance("sun").uniform(0.25, 0.75) * self.breadth + self.pan * 0.05
        return place, HORIZON * (1 - self.palette.sun_height)


Layer = Callable[[Canvas, View], Canvas]


def texture(view: View, name: str, *, scale: float, stretch: float = 1.0, drift: float = 0.0) -> Canvas:
    """Fractal noise between 0 and 1, `scale` blobs an image height, seen through a window that drifts."""
    rng, wide = view.chance(name), view.breadth + 0.5
    total: Canvas = np.zeros((view.height, view.width), np.float32)
    weight = 0.0
    for octave in range(view.detail):
        fine, share = scale * 2**octave, 0.55**octave
        cells = rng.random((int(fine) + 3, int(wide * fine / stretch) + 3), dtype=np.float32)
        left = (0.25 + drift) * fine / stretch
        box = (left, 1, left + view.breadth * fine / stretch, 1 + fine)
        patch = Image.fromarray(cells).resize((view.width, view.height), Image.Resampling.BICUBIC, box=box)
        total, weight = total + share * np.asarray(patch), weight + share
    levelled: Canvas = np.clip((total / weight - 0.5) * 1.6 + 0.5, 0, 1)
    return levelled


def ridge(view: View, name: str, depth: float, *, scale: float, rough: float) -> Canvas:
    """A line of fractal noise around a half, one row wide."""
    rng = view.chance(name)
    place = (view.x[0] - view.pan * depth + 1) * scale
    total = np.zeros(view.width, np.float32)
    for octave in range(view.detail):
        heights, where = rng.random(1024), place * 2**octave
        cell = where.astype(int)
        ease = (where - cell) ** 2 * (3 - 2 * (where - cell))
        start, end = heights[cell % 1024], heights[(cell + 1) % 1024]
        total += (rough**octave * (start + (end - start) * ease - 0.5)).astype(np.float32)
    return (total + 0.5)[None, :]


def mix(base: Canvas, over: Canvas, share: Canvas | float) -> Canvas:
    mixed = (over - base) * np.asarray(share, np.float32)
    mixed += base
    return mixed


def below(view: View, top: Canvas) -> Canvas:
    """1 below a line, 0 above it, smooth over one pixel."""
    return np.clip((view.y - top) * view.height + 0.5, 0, 1)[..., None]


def to_bytes(values: Canvas) -> Pixels:
    return (np.clip(values, 0, 1) * 255).astype(np.uint8)
