"""Colors of the hour: sky from zenith to horizon, land from far to near, and the light in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Color = NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Colors as hex strings; `sun_height` is 0 at the horizon and 1 at the top; `stars` runs from 0 to 1."""

    sky: tuple[str, ...]
    far: str
    near: str
    sun: str
    glow: str
    cloud: str
    accents: tuple[str, ...]
    sun_height: float = 0.25
    sun_size: float = 0.05
    stars: float = 0.0
    lights: float = 0.15


def color(text: str) -> Color:
    return np.frombuffer(bytes.fromhex(text), np.uint8).astype(np.float32) / 255


PALETTES: Mapping[str, Palette] = {
    "sunset": Palette(
        sky=("2b2356", "6d3b7a", "d0566b", "f7945d", "ffd08a"),
        far="c9708a",
        near="1d1230",
        sun="fff0c4",
        glow="ffb35c",
        cloud="ff9d7a",
        accents=("f2545b", "f7b267", "7c3f8c", "ffd6a5"),
        sun_height=0.16,
        sun_size=0.07,
        lights=0.45,
    ),
    "dawn": Palette(
        sky=("5b7db1", "9db4d6", "e8c9d3", "fbe3cf"),
        far="b9bfd8",
        near="2e3f5c",
        sun="fffbe8",
        glow="ffd9b8",
        cloud="fdeeee",
        accents=("f4a6b7", "c6b7e2", "fbe3cf", "8fb8de"),
        sun_height=0.2,
        lights=0.3,
    ),
    "day": Palette(
        sky=("1f63b5", "3f8ad2", "74b4e6", "c4e2f2"),
        far="a6c3d8",
        near="2a5a2b",
        sun="fffdf0",
        glow="fff3c9",
        cloud="ffffff",
        accents=("f25f5c", "ffe066", "f7a1c4", "ffffff"),
        sun_height=0.62,
        sun_size=0.04,
    ),
    "night": Palette(
        sky=("050816", "0c1533", "1c2a57", "39477e"),
        far="33426f",
        near="060914",
        sun="f4f1e1",
        glow="8fa3d9",
        cloud="2c3a6b",
        accents=("ffd27d", "7fb7ff", "c79bff", "ff8fa3"),
        sun_height=0.68,
        sun_size=0.05,
        stars=1.0,
        lights=0.75,
    ),
    "neon": Palette(
        sky=("0a0420", "260b4a", "6a1280", "d62f8b"),
        far="7a2aa0",
        near="0b0418",
        sun="ffe3f6",
        glow="ff4fc3",
        cloud="8a2be2",
        accents=("00e5ff", "ff2bd6", "ffe14d", "7cff6b"),
        sun_height=0.3,
        sun_size=0.13,
        stars=0.4,
        lights=0.9,
    ),
    "autumn": Palette(
        sky=("6d8ba6", "b6bfc0", "ecd9b5", "f6e3b9"),
        far="c79a6b",
        near="3d1f14",
        sun="fff6dc",
        glow="ffd88a",
        cloud="fff1d9",
        accents=("d9480f", "e8a317", "8c2f0b", "f3c969"),
        sun_height=0.35,
    ),
    "winter": Palette(
        sky=("6f8fb3", "a9c0d6", "d7e3ec", "f2f5f7"),
        far="c8d6e2",
        near="31465f",
        sun="ffffff",
        glow="ffffff",
        cloud="ffffff",
        accents=("ffffff", "b7cee0", "7d9cbd", "e9f1f6"),
        sun_height=0.3,
    ),
    "storm": Palette(
        sky=("1d242c", "38444f", "66747c", "a3aca9"),
        far="6b7a80",
        near="11181d",
        sun="e8ece4",
        glow="b9c3bd",
        cloud="2a323a",
        accents=("8fa3ad", "d7dfd8", "4d5d66", "e0c878"),
        sun_height=0.5,
        sun_size=0.03,
        lights=0.4,
    ),
    "tropical": Palette(
        sky=("1493c8", "4cc2de", "a5e6e4", "fdf3d0"),
        far="5fb8ad",
        near="0b4a4a",
        sun="fffdf0",
        glow="fff0b5",
        cloud="ffffff",
        accents=("ff6f61", "ffd54f", "2ec4b6", "ff9fb2"),
        sun_height=0.5,
    ),
}

PALETTE_WORDS: Mapping[str, tuple[str, ...]] = {
    "neon": ("neon", "cyberpunk", "synthwave", "vaporwave", "futuristic", "retro"),
    "night": (
        "night",
        "stars",
        "star",
        "starry",
        "moon",
        "moonlit",
        "midnight",
        "galaxy",
        "space",
        "nebula",
        "dark",
    ),
    "sunset": ("sunset", "dusk", "evening", "golden", "twilight", "orange", "warm", "desert"),
    "dawn": ("dawn", "sunrise", "morning", "pastel", "misty", "mist", "fog", "foggy", "soft"),
    "autumn": ("autumn", "fall", "leaves", "harvest"),
    "winter": ("winter", "snow", "snowy", "ice", "frozen", "cold", "arctic"),
    "storm": ("storm", "stormy", "rain", "rainy", "moody", "gloomy", "thunder"),
    "tropical": ("tropical", "beach", "island", "palm", "paradise", "lagoon"),
    "day": ("day", "sunny", "blue", "summer", "spring", "bright", "noon", "green"),
}
"""The first whose word a prompt names wins."""
