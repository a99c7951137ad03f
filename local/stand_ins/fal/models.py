"""fal's endpoints: their inputs, checked as fal's models check them, and the requests that these make."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.stand_ins.framework.schema import Field
from local.stand_ins.pipelines.asked import Asked
from local.stand_ins.pipelines.hosted import animation, image, track, video


@dataclass(frozen=True, kw_only=True)
class Model:
    """`place` is the field of a result that has its files: a list of images, or one file."""

    fields: Mapping[str, Field]
    asked: Callable[[dict[str, Any]], Asked]
    place: str


def _image(given: dict[str, Any]) -> Asked:
    drawn = {name: value for name, value in given.items() if name in _DRAWN}
    return image(given["prompt"], {**drawn, **given.get("image_size", {})})


def _audio(given: dict[str, Any]) -> Asked:
    return track(given["prompt"], seconds=given.get("seconds_total", 30))


def _song(given: dict[str, Any]) -> Asked:
    return track(given["prompt"], seconds=min(round(given.get("duration", 60)), _LONGEST_TRACK))


def _video(given: dict[str, Any]) -> Asked:
    size = _SIZES[given.get("aspect_ratio", "16:9")]
    frames, fps = given.get("num_frames", 81), given.get("frames_per_second", 24)
    return video(given["prompt"], size=size, frames=frames, fps=fps)


def _animation(given: dict[str, Any]) -> Asked:
    return animation(given["image_url"], frames=25, fps=given.get("fps", 25))


def _animated(given: dict[str, Any]) -> Asked:
    frames, fps = given.get("num_frames", 81), given.get("frames_per_second", 16)
    return animation(given["image_url"], frames=frames, fps=fps)


_LONGEST_TRACK = 30  # seconds that the renderer makes
_DRAWN = ("num_inference_steps", "guidance_scale", "negative_prompt", "seed")
_SIZES = {"16:9": (384, 216), "9:16": (216, 384), "1:1": (288, 288)}
_PROMPT, _SEED = Field(required=True), Field(type=int)
_FLUX = {
    "prompt": _PROMPT,
    "image_size": Field(type=dict),
    "guidance_scale": Field(type=float, least=1, most=20),
    "num_images": Field(type=int, least=1, most=4),
    "enable_safety_checker": Field(type=bool),
    "output_format": Field(options=("jpeg", "png")),
    "acceleration": Field(options=("none", "regular", "high")),
    "seed": _SEED,
}

MODELS: Mapping[str, Model] = {
    "fal-ai/flux/schnell": Model(
        fields={**_FLUX, "num_inference_steps": Field(type=int, least=1, most=12)}, asked=_image, place="images"
    ),
    "fal-ai/flux/dev": Model(
        fields={**_FLUX, "num_inference_steps": Field(type=int, least=1, most=50)}, asked=_image, place="images"
    ),
    "fal-ai/fast-sdxl": Model(
        fields={
            "prompt": _PROMPT,
            "negative_prompt": Field(),
            "image_size": Field(type=dict),
            "num_inference_steps": Field(type=int, least=1, most=50),
            "guidance_scale": Field(type=float, least=0, most=20),
            "format": Field(options=("jpeg", "png")),
            "seed": _SEED,
        },
        asked=_image,
        place="images",
    ),
    "fal-ai/stable-audio": Model(
        fields={
            "prompt": _PROMPT,
            "seconds_start": Field(type=int, least=0, most=47),
            "seconds_total": Field(type=int, least=0, most=47),
            "steps": Field(type=int, least=2, most=1000),
        },
        asked=_audio,
        place="audio_file",
    ),
    "fal-ai/stable-audio-25/text-to-audio": Model(
        fields={
            "prompt": _PROMPT,
            "seconds_total": Field(type=int, least=1, most=190),
            "num_inference_steps": Field(type=int, least=4, most=8),
            "guidance_scale": Field(type=float, least=1, most=25),
            "seed": _SEED,
        },
        asked=_audio,
        place="audio",
    ),
    "fal-ai/ace-step/prompt-to-audio": Model(
        fields={
            "prompt": _PROMPT,
            "instrumental": Field(type=bool),
            "duration": Field(type=float, least=5, most=240),
            "number_of_steps": Field(type=int, least=3, most=60),
            "seed": _SEED,
        },
        asked=_song,
        place="audio",
    ),
    "fal-ai/wan/v2.2-a14b/image-to-video": Model(
        fields={
            "prompt": _PROMPT,
            "image_url": Field(required=True),
            "num_frames": Field(type=int, least=17, most=161),
            "frames_per_second": Field(type=int, least=4, most=60),
            "resolution": Field(options=("480p", "580p", "720p")),
            "seed": _SEED,
        },
        asked=_animated,
        place="video",
    ),
    "fal-ai/wan/v2.2-5b/text-to-video": Model(
        fields={
            "prompt": _PROMPT,
            "negative_prompt": Field(),
            "num_frames": Field(type=int, least=17, most=161),
            "frames_per_second": Field(type=int, least=4, most=60),
            "num_inference_steps": Field(type=int, least=2, most=50),
            "guidance_scale": Field(type=float, least=1, most=10),
            "aspect_ratio": Field(options=("16:9", "9:16", "1:1")),
            "resolution": Field(options=("580p", "720p")),
            "seed": _SEED,
        },
        asked=_video,
        place="video",
    ),
    "fal-ai/stable-video": Model(
        fields={
            "image_url": Field(required=True),
            "motion_bucket_id": Field(type=int, least=1, most=255),
            "cond_aug": Field(type=float, least=0, most=10),
            "fps": Field(type=int, least=10, most=100),
            "seed": _SEED,
        },
        asked=_animation,
        place="video",
    ),
}
"""By endpoint, with those fields of their published schemas that matter here."""


def app_of(endpoint: str) -> str:
    """The app of an endpoint: the part of its id that is in the URLs of its requests."""
    return "/".join(endpoint.split("/")[:2])


APPS = {app_of(endpoint) for endpoint in MODELS}
