"""Calls to fal: one of each kind, as a route makes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from longplay.providers.protocol import Call

from tests.providers.calls import make_call
from tests.providers.payloads import image_file

SCHNELL, DEV, SDXL = "fal-ai/flux/schnell", "fal-ai/flux/dev", "fal-ai/fast-sdxl"
STABLE_AUDIO, STABLE_AUDIO_25 = "fal-ai/stable-audio", "fal-ai/stable-audio-25/text-to-audio"
ACE_STEP = "fal-ai/ace-step/prompt-to-audio"
WAN_I2V = "fal-ai/wan/v2.2-a14b/image-to-video"
WAN, SVD = "fal-ai/wan/v2.2-5b/text-to-video", "fal-ai/stable-video"
TOKEN = "1b2c3d4e-0000-4a5b-8c9d-0123456789ab:0123456789abcdef0123456789abcdef"
CALLBACK = "https://api.example.com/prod/callbacks/fal/j1/1?t=secret"

_ROUTES: dict[str, dict[str, Any]] = {
    "music": {"kind": "music", "model": STABLE_AUDIO, "style": "stable-audio", "parameters": {"duration": 1}},
    "newer": {"kind": "music", "model": STABLE_AUDIO_25, "style": "stable-audio-2.5", "parameters": {"duration": 1}},
    "ace": {"kind": "music", "model": ACE_STEP, "style": "ace-step", "parameters": {"duration": 5}},
    "flux": {"kind": "image", "model": SCHNELL, "style": "flux", "parameters": {"width": 64, "height": 64}},
    "dev": {"kind": "image", "model": DEV, "style": "flux", "parameters": {"guidance_scale": 3.5}},
    "image": {"kind": "image", "model": SDXL, "style": "sdxl", "parameters": {"width": 64, "height": 64}},
    "video": {"kind": "video", "model": WAN, "style": "wan", "parameters": {"duration": 2}},
    "animated": {
        "kind": "video",
        "model": WAN_I2V,
        "style": "wan-i2v",
        "parameters": {"duration": 2},
        "image": image_file(),
    },
    "animation": {"kind": "video", "model": SVD, "style": "svd", "parameters": {"duration": 2}, "image": image_file()},
}


def call(name: str, url: str, folder: Path, **fields: Any) -> Call:
    """The call of this name; `fields` replace the route's."""
    return make_call(folder, **{"url": url, **_ROUTES[name], **fields})
