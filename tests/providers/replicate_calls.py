"""How tests call Replicate's provider: one call of each kind, as a route would ask for it."""

import base64
import io
from pathlib import Path

from longplay.providers.protocol import Call
from PIL import Image

MUSICGEN = "meta/musicgen:671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb"
SDXL = "stability-ai/sdxl:7762fd07cf82c948538e41f63f77d685e02b063e37e496e96eefd46c929f9bdc"
SVD = "christophy/stable-video-diffusion:92a0c9a9cb1fd93ea0361d15e499dc879b35095077b2feed47315ccab4524036"
FLUX = "black-forest-labs/flux-schnell"
WAN = "wan-video/wan-2.2-5b-fast"
TOKEN = "r8_AbCdEfGh0123456789"
CALLBACK = "https://api.example.com/prod/callbacks/replicate/j1/1?t=secret"


def image_file() -> bytes:
    """A small input image."""
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(file, "PNG")
    return file.getvalue()


def image_in(data_uri: str) -> bytes:
    """The image of a data URI."""
    return base64.b64decode(data_uri.partition(",")[2])


_ROUTES = {
    "music": {"kind": "music", "model": MUSICGEN, "style": "musicgen", "parameters": {"duration": 1}},
    "image": {"kind": "image", "model": SDXL, "style": "diffusion", "parameters": {"width": 64, "height": 64}},
    "flux": {"kind": "image", "model": FLUX, "style": "flux", "parameters": {}},
    "video": {"kind": "video", "model": WAN, "style": "wan", "parameters": {"duration": 5}},
    "animation": {"kind": "video", "model": SVD, "style": "svd", "parameters": {"duration": 5}, "image": image_file()},
}


def call(name: str, url: str, folder: Path, **fields: object) -> Call:
    """One call; `fields` replace what the route says."""
    plain = {"prompt": "slow jazz", "image": None, "timeout": 5.0, "folder": folder, "url": url}
    return Call(**{**plain, **_ROUTES[name], **fields})
