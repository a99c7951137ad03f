"""The Hub's mapping, by model and partner: more entries than the real one has, so that every route can be tested."""

from collections.abc import Mapping
from typing import Any

STABLE_AUDIO = "stabilityai/stable-audio-open-1.0"
FLUX_SCHNELL = "black-forest-labs/FLUX.1-schnell"
FLUX_DEV = "black-forest-labs/FLUX.1-dev"
SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
WAN = "Wan-AI/Wan2.2-TI2V-5B"
WAN_FROM_IMAGE = "Wan-AI/Wan2.2-I2V-A14B"


def _live(task: str, **ids: str) -> dict[str, dict[str, Any]]:
    """Entries of the mapping; `fal_ai` means `fal-ai`."""
    return {
        name.replace("_", "-"): {"status": "live", "providerId": model, "task": task, "isModelAuthor": False}
        for name, model in ids.items()
    }


SERVED: Mapping[str, dict[str, dict[str, Any]]] = {
    STABLE_AUDIO: _live("text-to-audio", fal_ai="fal-ai/stable-audio"),
    FLUX_SCHNELL: _live(
        "text-to-image",
        fal_ai="fal-ai/flux/schnell",
        nscale=FLUX_SCHNELL,
        replicate="black-forest-labs/flux-schnell",
        together=FLUX_SCHNELL,
        wavespeed="wavespeed-ai/flux-schnell",
    ),
    FLUX_DEV: _live(
        "text-to-image",
        fal_ai="fal-ai/flux/dev",
        replicate="black-forest-labs/flux-dev",
        together=FLUX_DEV,
        wavespeed="wavespeed-ai/flux-dev",
    ),
    SDXL: _live("text-to-image", nscale=SDXL, replicate=f"stability-ai/sdxl:{'7762fd07' * 8}"),
    WAN: _live(
        "text-to-video",
        fal_ai="fal-ai/wan/v2.2-5b/text-to-video",
        replicate="wan-video/wan-2.2-5b-fast",
        together=WAN,
        wavespeed="wavespeed-ai/wan-2.2/t2v-5b-720p",
    ),
    WAN_FROM_IMAGE: _live(
        "image-to-video",
        fal_ai="fal-ai/wan/v2.2-a14b/image-to-video",
        together=WAN_FROM_IMAGE,
        wavespeed="wavespeed-ai/wan-2.2/i2v-720p",
    ),
}
