"""Replicate's models: their inputs, checked as Replicate checks them, and the requests that these make."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.stand_ins.framework.schema import Field
from local.stand_ins.pipelines.asked import Asked
from local.stand_ins.pipelines.hosted import animation, image, track, video


@dataclass(frozen=True, kw_only=True)
class Model:
    """A `single` model answers with one URL, the others with a list."""

    fields: Mapping[str, Field]
    asked: Callable[[dict[str, Any]], Asked]
    single: bool = True


def _track(given: dict[str, Any]) -> Asked:
    return track(given["prompt"], seconds=given.get("duration", 8))


def _long_track(given: dict[str, Any]) -> Asked:
    return track(given["prompt"], seconds=min(given.get("duration", 190), _LONGEST_TRACK))


def _image(given: dict[str, Any]) -> Asked:
    return image(given["prompt"], {name: value for name, value in given.items() if name in _DRAWN})


def _flux(given: dict[str, Any]) -> Asked:
    across, _, down = given.get("aspect_ratio", "1:1").partition(":")
    pixels = 250_000 if given.get("megapixels") == "0.25" else 1_000_000
    width = (pixels * int(across) / int(down)) ** 0.5
    size = {"width": round(width / 16) * 16, "height": round(pixels / width / 16) * 16}
    return image(given["prompt"], {**size, "seed": given.get("seed", 0)})


def _animation(given: dict[str, Any]) -> Asked:
    frames = 25 if given.get("video_length") == "25_frames_with_svd_xt" else 14
    return animation(given["input_image"], frames=frames, fps=given.get("frames_per_second", 6))


def _video(given: dict[str, Any]) -> Asked:
    size = (216, 384) if given.get("aspect_ratio") == "9:16" else (384, 216)
    frames, fps = given.get("num_frames", 121), given.get("frames_per_second", 24)
    return video(given["prompt"], size=size, frames=frames, fps=fps)


_LONGEST_TRACK = 30  # seconds that the renderer makes
_PROMPT = Field(required=True)
_SEED = Field(type=int)
_ASPECTS = ("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21")
_DRAWN = ("width", "height", "num_inference_steps", "guidance_scale", "negative_prompt", "seed")
_DIFFUSION = {
    "prompt": _PROMPT,
    "negative_prompt": Field(),
    "width": Field(type=int),
    "height": Field(type=int),
    "num_outputs": Field(type=int, least=1, most=4),
    "num_inference_steps": Field(type=int, least=1, most=500),
    "guidance_scale": Field(type=float, least=1, most=50),
    "seed": _SEED,
}

_FLUX = {
    "prompt": _PROMPT,
    "aspect_ratio": Field(options=_ASPECTS),
    "num_outputs": Field(type=int, least=1, most=4),
    "output_format": Field(options=("webp", "jpg", "png")),
    "go_fast": Field(type=bool),
    "megapixels": Field(options=("1", "0.25")),
    "seed": _SEED,
}

MODELS: Mapping[str, Model] = {
    "meta/musicgen": Model(
        fields={
            "prompt": Field(),
            "model_version": Field(options=("stereo-melody-large", "stereo-large", "melody-large", "large")),
            "duration": Field(type=int),
            "top_k": Field(type=int),
            "top_p": Field(type=float),
            "temperature": Field(type=float),
            "classifier_free_guidance": Field(type=int),
            "output_format": Field(options=("wav", "mp3")),
            "seed": _SEED,
        },
        asked=_track,
    ),
    "stability-ai/stable-audio-2.5": Model(
        fields={
            "prompt": _PROMPT,
            "duration": Field(type=int, least=1, most=190),
            "steps": Field(type=int, least=4, most=8),
            "cfg_scale": Field(type=float, least=1, most=25),
            "seed": _SEED,
        },
        asked=_long_track,
    ),
    "stability-ai/sdxl": Model(fields=_DIFFUSION, asked=_image, single=False),
    "stability-ai/stable-diffusion": Model(fields=_DIFFUSION, asked=_image, single=False),
    "black-forest-labs/flux-schnell": Model(
        fields={**_FLUX, "num_inference_steps": Field(type=int, least=1, most=4)}, asked=_flux, single=False
    ),
    "black-forest-labs/flux-dev": Model(
        fields={
            **_FLUX,
            "num_inference_steps": Field(type=int, least=1, most=50),
            "guidance": Field(type=float, least=0, most=10),
        },
        asked=_flux,
        single=False,
    ),
    "christophy/stable-video-diffusion": Model(
        fields={
            "input_image": Field(required=True),
            "video_length": Field(options=("14_frames_with_svd", "25_frames_with_svd_xt")),
            "frames_per_second": Field(type=int, least=5, most=30),
            "motion_bucket_id": Field(type=int, least=1, most=255),
            "seed": _SEED,
        },
        asked=_animation,
    ),
    "wan-video/wan-2.2-5b-fast": Model(
        fields={
            "prompt": _PROMPT,
            "num_frames": Field(type=int, least=81, most=121),
            "frames_per_second": Field(type=int, least=5, most=30),
            "aspect_ratio": Field(options=("16:9", "9:16")),
            "seed": _SEED,
        },
        asked=_video,
    ),
}
"""By name, with those fields of their published schemas that matter here."""
