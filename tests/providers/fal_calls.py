"""How tests call fal's provider: one call of each kind, as a route would ask for it."""

from pathlib import Path

from longplay.providers.protocol import Call

from tests.providers.replicate_calls import image_file

SCHNELL, DEV, SDXL = "fal-ai/flux/schnell", "fal-ai/flux/dev", "fal-ai/fast-sdxl"
STABLE_AUDIO, STABLE_AUDIO_25 = "fal-ai/stable-audio", "fal-ai/stable-audio-25/text-to-audio"
WAN, SVD = "fal-ai/wan/v2.2-5b/text-to-video", "fal-ai/stable-video"
TOKEN = "1b2c3d4e-0000-4a5b-8c9d-0123456789ab:0123456789abcdef0123456789abcdef"
CALLBACK = "https://api.example.com/prod/callbacks/fal/j1/1?t=secret"

_ROUTES = {
    "music": {"kind": "music", "model": STABLE_AUDIO, "style": "stable-audio", "parameters": {"duration": 1}},
    "newer": {"kind": "music", "model": STABLE_AUDIO_25, "style": "stable-audio-2.5", "parameters": {"duration": 1}},
    "flux": {"kind": "image", "model": SCHNELL, "style": "flux", "parameters": {"width": 64, "height": 64}},
    "dev": {"kind": "image", "model": DEV, "style": "flux", "parameters": {"guidance_scale": 3.5}},
    "image": {"kind": "image", "model": SDXL, "style": "sdxl", "parameters": {"width": 64, "height": 64}},
    "video": {"kind": "video", "model": WAN, "style": "wan", "parameters": {"duration": 2}},
    "animation": {"kind": "video", "model": SVD, "style": "svd", "parameters": {"duration": 2}, "image": image_file()},
}


def call(name: str, url: str, folder: Path, **fields: object) -> Call:
    """One call; `fields` replace what the route says."""
    plain = {"prompt": "slow jazz", "image": None, "timeout": 5.0, "folder": folder, "url": url}
    return Call(**{**plain, **_ROUTES[name], **fields})
