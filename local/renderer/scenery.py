"""The layers a landscape is made of, back to front; each moves with the camera by its depth."""

import numpy as np
from PIL import Image, ImageDraw

from local.renderer.canvas import HORIZON, Canvas, View, below, mix, ridge, texture, to_bytes
from local.renderer.palettes import color


def mountains(canvas: Canvas, view: View) -> Canvas:
    for depth in (0.12, 0.3, 0.5, 0.75, 0.98):
        line = ridge(view, f"ridge {depth}", depth, scale=1.5 + depth, rough=0.52)
        top = HORIZON - 0.24 + depth * 0.34 - (line - 0.5) * (0.62 - depth * 0.36)
        canvas = _land(canvas, view, top, depth)
    return canvas


def hills(canvas: Canvas, view: View) -> Canvas:
    for depth in (0.15, 0.4, 0.7):
        line = ridge(view, f"hill {depth}", depth, scale=0.9, rough=0.28)
        canvas = _land(canvas, view, HORIZON + 0.02 + depth * 0.28 - (line - 0.5) * 0.16, depth)
    return canvas


def forest(canvas: Canvas, view: View) -> Canvas:
    for depth in (0.25, 0.45, 0.7, 1.0):
        rng = view.chance(f"trees {depth}")
        base = HORIZON + 0.05 + depth * 0.36 - (ridge(view, f"wood {depth}", depth, scale=0.8, rough=0.3) - 0.5) * 0.2
        height = 0.12 + 0.3 * depth
        trunks = rng.uniform(-0.3, view.breadth + 0.3, round((34 - 16 * depth) * view.breadth))
        line = base[0].copy()
        for trunk, size in zip(trunks, rng.uniform(0.55, 1, trunks.size) * height, strict=True):
            away = np.abs(view.x[0] - trunk - view.pan * depth) / (size * 0.2)
            boughs = 1 - away - 0.1 * np.abs(np.mod(away * 6, 1) - 0.2)
            line = np.minimum(line, base[0] - size * np.where(away < 1, boughs, -9))
        canvas = _land(canvas, view, line[None, :], depth * 0.95)
    return canvas


def city(canvas: Canvas, view: View) -> Canvas:
    for depth in (0.2, 0.5, 0.85):
        rng = view.chance(f"city {depth}")
        edge = -0.4
        while edge < view.breadth + 0.4:
            width = rng.uniform(0.05, 0.11) * (0.7 + depth)
            middle = 1 - 0.5 * abs(edge / view.breadth - 0.5)
            height = rng.uniform(0.12, 0.46) * middle * (1.15 - 0.45 * depth)
            _building(canvas, view, (edge + view.pan * depth, width, height, depth), rng)
            edge += width * rng.uniform(0.85, 1.25)
    return canvas


def water(canvas: Canvas, view: View) -> Canvas:
    """Mirrors what lies above the horizon, broken by waves that grow toward the viewer."""
    shore = round(HORIZON * view.height)
    near = np.linspace(0, 1, view.height - shore, dtype=np.float32)[:, None]
    swell = _waves(view, near)
    bend = swell * (0.15 + near) * 0.022 * view.height
    rows = np.clip(shore - 1 - near * shore * 0.95 - bend, 0, shore - 1).astype(int)
    columns = np.clip(np.arange(view.width)[None, :] + bend, 0, view.width - 1).astype(int)
    deep = mix(color(view.palette.sky[0]), color(view.palette.near), 0.35)
    surface = mix(canvas[rows, columns], deep, (0.18 + 0.5 * near)[..., None])
    canvas = canvas.copy()
    canvas[shore:] = _glitter(surface, view, swell, near)
    return canvas


def meadow(canvas: Canvas, view: View) -> Canvas:
    """Flowers on a slope, small and many at the back, large and few in front."""
    top = HORIZON + 0.06 - (ridge(view, "meadow", 0.5, scale=0.7, rough=0.3) - 0.5) * 0.1
    grass = 1 + 0.7 * (texture(view, "grass", scale=7, stretch=2, drift=-view.pan * 0.5) - 0.5)
    ground = mix(canvas, _land(canvas, view, top, 0.62) * grass[..., None], below(view, top))
    sheet = Image.fromarray(to_bytes(ground)).resize((view.width * 2, view.height * 2))
    draw, rng = ImageDraw.Draw(sheet), view.chance("flowers")
    stem = tuple(to_bytes(mix(color(view.palette.near), color("4f8a3a"), 0.55)).tolist())
    for near in np.sort(rng.uniform(0.04, 1, round(150 * view.breadth)) ** 1.3):
        across = rng.uniform(-0.1, view.breadth + 0.1) + view.pan * (0.4 + 0.6 * near)
        place = np.array([across, HORIZON + 0.05 + 0.36 * near]) * 2 * view.height
        _flower(draw, place, (0.006 + 0.032 * near) * 2 * view.height, (stem, rng, view))
    return np.asarray(sheet.resize((view.width, view.height), Image.Resampling.BOX), np.float32) / 255


def dunes(canvas: Canvas, view: View) -> Canvas:
    for depth in (0.2, 0.5, 0.9):
        line = ridge(view, f"dune {depth}", depth, scale=0.7, rough=0.2)
        top = HORIZON - 0.03 + depth * 0.3 - np.abs(line - 0.5) * 0.4
        sand = mix(color(view.palette.far), color("c8823f"), 0.6) * np.float32(1.1 - 0.55 * depth)
        ripple = 0.04 * np.sin((view.y - top) * 160 + line * 30)
        canvas = mix(canvas, np.clip(sand + ripple[..., None], 0, 1), below(view, top))
    return canvas


def _land(canvas: Canvas, view: View, top: Canvas, depth: float) -> Canvas:
    """A silhouette with mist at its foot, darker the nearer it is."""
    first = max(0, int(top.min() * view.height) - 1)
    down = view.y[first:] - top
    mist = np.clip((view.y[first:] - float(np.median(top))) * 3.5, 0, 1) * (1 - depth) * 0.8
    body = mix(color(view.palette.far), color(view.palette.near), depth**0.8)
    rim = np.exp(-np.clip(down, 0, 1) * 60) * 0.22 * (1 - depth)
    shaded = mix(body, color(view.palette.sky[-1]), mist[..., None])
    lit = mix(shaded, color(view.palette.glow), rim[..., None])
    inside = np.clip(down * view.height + 0.5, 0, 1)[..., None]
    return np.concatenate([canvas[:first], mix(canvas[first:], lit, inside)])


def _building(canvas: Canvas, view: View, box: tuple[float, float, float, float], rng: np.random.Generator) -> None:
    left, width, height, depth = box
    foot, size = HORIZON + 0.02 + 0.1 * depth, view.height
    body = mix(color(view.palette.far), color(view.palette.near), 0.35 + 0.6 * depth)
    rows = slice(round((foot - height) * size), size)
    first, last = round(left * size), round((left + width) * size)
    lit = rng.random((64, 16)) < view.palette.lights * 0.5
    warmth = rng.random((64, 16, 1))
    if last <= 0 or first >= view.width:
        return
    pane = max(3.0, 0.016 * size * (0.6 + 0.6 * depth))
    columns = slice(max(0, first), min(view.width, last))
    down = np.arange(size)[rows][:, None] - rows.start
    across = np.arange(view.width)[columns][None, :] - first
    storey, bay = (down / pane).astype(int) % 64, (across / pane).astype(int) % 16
    inside = (down % pane > pane * 0.38) & (across % pane > pane * 0.42) & (down > pane * 0.5)
    light = mix(color(view.palette.accents[0]), color("fff3cf"), warmth[storey, bay])
    canvas[rows, columns] = mix(body, light, ((inside & lit[storey, bay]) * (0.35 + 0.6 * depth))[..., None])


def _waves(view: View, near: Canvas) -> Canvas:
    """Crossing waves between -1 and 1, seen in perspective: flat and fine far away, tall in front."""
    rng, away = view.chance("waves"), 1 / (near + 0.09)
    across = (view.x - view.breadth / 2 - view.pan) * away
    total = np.zeros((near.size, view.width), np.float32)
    for _ in range(9):
        ahead, aside, start = rng.uniform(7, 26), rng.normal(0, 5), rng.uniform(0, 6.3)
        total += np.sin(away * ahead + across * aside + start + view.time * rng.uniform(1, 2.5)).astype(np.float32)
    return total / 4.5


def _glitter(surface: Canvas, view: View, swell: Canvas, near: Canvas) -> Canvas:
    across, _ = view.sun
    path = np.exp(-(((view.x - across) / (0.05 + 0.12 * near)) ** 2))
    sparkle = path * np.clip(swell * 3 - 0.6, 0, 1) * (0.85 - 0.4 * near)
    return mix(surface, color(view.palette.sun), sparkle[..., None])


def _flower(
    draw: ImageDraw.ImageDraw,
    place: Canvas,
    size: float,
    look: tuple[tuple[int, ...], np.random.Generator, View],
) -> None:
    stem, rng, view = look
    across, down = place
    draw.line(
        (across, down, across + rng.uniform(-1, 1) * size, down + size * 3.2),
        fill=stem,
        width=max(1, round(size / 5)),
    )
    petal = tuple(to_bytes(color(view.palette.accents[rng.integers(4)]) * np.float32(rng.uniform(0.85, 1))).tolist())
    turn = rng.uniform(0, 1)
    for number in range(6):
        angle = (number + turn) * np.pi / 3
        spot = (across + np.cos(angle) * size * 0.62, down + np.sin(angle) * size * 0.5)
        draw.circle(spot, size * 0.45, fill=petal)
    draw.circle((across, down), size * 0.34, fill=(250, 205, 80))
