"""The layers above the horizon: sky, stars, galaxy, sun or moon, and clouds."""

import numpy as np

from local.renderer.canvas import HORIZON, Canvas, View, mix, texture
from local.renderer.palettes import color


def sky(_: Canvas, view: View) -> Canvas:
    stops = np.stack([color(text) for text in view.palette.sky])
    place = np.clip(view.y[:, 0] / HORIZON, 0, 1) * (len(stops) - 1)
    column = np.stack([np.interp(place, np.arange(len(stops)), stops[:, band]) for band in range(3)], axis=-1)
    return np.broadcast_to(column[:, None, :], (view.height, view.width, 3)).astype(np.float32)


def stars(canvas: Canvas, view: View) -> Canvas:
    rng = view.chance("stars")
    count = round(520 * view.breadth * view.palette.stars)
    across, down = rng.uniform(0, view.width, count), rng.uniform(0, HORIZON, count) ** 1.2 * view.height
    shine = rng.uniform(0.15, 1, count) ** 2 * (0.8 + 0.2 * np.sin(view.time * 3 + across))
    points = np.zeros(canvas.shape[:2], np.float32)
    np.maximum.at(points, (down.astype(int), across.astype(int)), shine.astype(np.float32))
    halo = np.maximum(points, 0.35 * np.maximum(np.roll(points, 1, 0), np.roll(points, 1, 1)) * (points.max() > 0))
    return mix(canvas, np.array([1, 0.97, 0.92], np.float32), halo[..., None])


def galaxy(canvas: Canvas, view: View) -> Canvas:
    rng = view.chance("galaxy")
    slope, start = rng.uniform(-0.7, 0.7), rng.uniform(0.2, 0.5)
    distance = view.y - start - slope * (view.x - view.breadth / 2)
    dust = texture(view, "dust", scale=3.0)
    band = np.exp(-((distance / (0.1 + 0.08 * dust)) ** 2)) * (0.35 + 0.65 * dust)
    tints = [color(text) for text in view.palette.accents[1:3]]
    tint = mix(tints[0], tints[1], texture(view, "tint", scale=2.0)[..., None])
    lit: Canvas = canvas + band[..., None] * tint * 0.75
    return lit


def sun(canvas: Canvas, view: View) -> Canvas:
    across, down = view.sun
    distance = np.hypot(view.x - across, view.y - down)
    glow = np.exp(-distance / 0.13) * 0.6 + np.exp(-distance / 0.4) * 0.2
    lit = mix(canvas, color(view.palette.glow), glow[..., None])
    disc = np.clip((view.palette.sun_size - distance) * view.height, 0, 1)
    return mix(lit, color(view.palette.sun), disc[..., None])


def clouds(canvas: Canvas, view: View) -> Canvas:
    cover = texture(view, "clouds", scale=2.2, stretch=3.2, drift=view.pan * 0.15 + view.time * 0.006)
    thick = np.clip((cover - 0.5) * 5, 0, 1) * np.clip(1.25 - np.abs(view.y / HORIZON - 0.45) * 1.9, 0, 1)
    shade = mix(color(view.palette.cloud), canvas, np.clip((cover - 0.66) * 1.6, 0, 0.35)[..., None])
    return mix(canvas, shade, (thick * 0.85)[..., None])
