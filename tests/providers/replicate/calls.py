"""Calls to Replicate: one of each kind, as a route makes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from longplay.providers.protocol import Call

from tests.providers.calls import make_call
from tests.providers.payloads import image_file

MUSICGEN = "meta/musicgen:671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb"
SDXL = "stability-ai/sdxl:7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc"
SVD = "christophy/stable-video-diffusion:92a0c9a9cb1fd93ea0361d15e499dc879b35095077b2feed47315ccab4524036"
STABLE_AUDIO_25 = "stability-ai/stable-audio-2.5"
FLUX = "black-forest-labs/flux-schnell"
WAN = "wan-video/wan-2.2-5b-fast"
TOKEN = "r8_AbCdEfGh0123456789"
CALLBACK = "https://api.example.com/prod/callbacks/replicate/j1/1?t=secret"

_ROUTES: dict[str, dict[str, Any]] = {
    "music": {"kind": "music", "model": MUSICGEN, "style": "musicgen", "parameters": {"duration": 1}},
    "long": {"kind": "music", "model": STABLE_AUDIO_25, "style": "stable-audio-2.5", "parameters": {"duration": 1}},
    "image": {"kind": "image", "model": SDXL, "style": "diffusion", "parameters": {"width": 64, "height": 64}},
    "flux": {"kind": "image", "model": FLUX, "style": "flux", "parameters": {}},
    "video": {"kind": "video", "model": WAN, "style": "wan", "parameters": {"duration": 5}},
    "animation": {"kind": "video", "model": SVD, "style": "svd", "parameters": {"duration": 5}, "image": image_file()},
}


def call(name: str, url: str, folder: Path, **fields: Any) -> Call:
    """The call of this name; `fields` replace the route's."""
    return make_call(folder, **{"url": url, **_ROUTES[name], **fields})
