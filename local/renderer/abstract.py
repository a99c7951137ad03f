"""The abstract composition, for prompts that name nothing a landscape could show."""

import numpy as np

from local.renderer.canvas import Canvas, View, texture
from local.renderer.palettes import color


def ribbons(_: Canvas, view: View) -> Canvas:
    """Silky bands in the palette's colors that swing across a slanted field, each with a shadow on the next."""
    rng = view.chance("ribbons")
    slant, bands = rng.uniform(-0.9, 0.9), int(rng.integers(7, 11))
    shades = _shades(view, bands, rng)
    canvas = np.broadcast_to(shades[0], (view.height, view.width, 3)).astype(np.float32)
    along = view.x - view.breadth / 2 + slant * (view.y - 0.5)
    silk = texture(view, "silk", scale=1.3)
    for band in range(1, bands):
        edge = (band - 0.4) / bands + _swing(along - view.pan * band / bands, view.time, rng) + (silk - 0.5) * 0.12
        depth = view.y - slant * (view.x - view.breadth / 2) * 0.35 - edge
        shadow = np.exp(-np.clip(-depth, 0, 1) / 0.035) * 0.38
        sheen = 0.82 + 0.3 * np.exp(-np.clip(depth, 0, 1) / 0.09) + 0.12 * (silk - 0.5)
        inside = np.clip(depth * view.height + 0.5, 0, 1)[..., None]
        canvas = canvas * (1 - shadow[..., None]) * (1 - inside) + shades[band] * sheen[..., None] * inside
    return canvas


def _shades(view: View, bands: int, rng: np.random.Generator) -> Canvas:
    """From the sky's colors to the accents, in an order of the palette's own."""
    stops = np.stack([color(text) for text in (*view.palette.sky[:3], *rng.permutation(view.palette.accents))])
    place = np.linspace(0, len(stops) - 1, bands)
    return np.stack([np.interp(place, np.arange(len(stops)), stops[:, channel]) for channel in range(3)], -1)


def _swing(along: Canvas, time: float, rng: np.random.Generator) -> Canvas:
    total = np.zeros_like(along)
    for size, length in ((0.11, 1.6), (0.05, 3.1), (0.02, 6.3)):
        total += (
            size
            * rng.uniform(0.6, 1.2)
            * np.sin(along * length * rng.uniform(0.8, 1.3) * 2 + rng.uniform(0, 6.3) + time * 0.4)
        )
    return total
