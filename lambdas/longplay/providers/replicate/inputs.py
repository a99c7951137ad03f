"""The input of each model on Replicate, built from our parameters in the route's `style`.

Names and bounds are from the models' schemas (replicate.com/{owner}/{name}/versions/{version}/api, 2026-11).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.protocol import Call
from longplay.providers.reach import image_inline, image_url
from longplay.providers.translation import Styles, VideoLimits, given, in_style, within

LARGEST_IMAGE = 256_000  # bytes Replicate accepts in a data URI; a larger image must be sent as a URL

_FLUX_ASPECTS = ("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21")
_FLUX_SMALL = 600_000  # pixels; below this, a quarter of a megapixel is nearer than one megapixel
_SVD_FRAMES, _SVD_RATES = 25, (5, 30)
_WAN = VideoLimits(frames=(81, 121), rates=(5, 30), rate=24)


def input_of(call: Call) -> dict[str, Any]:
    """The prediction's input; raises ProviderError for an unknown style or an image that is too large."""
    return in_style(call, _INPUTS, whose="Replicate's")


def _musicgen(call: Call) -> dict[str, Any]:
    """`meta/musicgen` takes whole seconds and a whole number for guidance."""
    sent = given(call, "duration", "seed", "top_k", "top_p", "temperature", classifier_free_guidance="guidance_scale")
    if "duration" in sent:
        sent["duration"] = math.ceil(float(sent["duration"]))
    if "classifier_free_guidance" in sent:
        sent["classifier_free_guidance"] = round(float(sent["classifier_free_guidance"]))
    return {"prompt": call.prompt, "model_version": "large", "output_format": "wav", **sent}


def _stable_audio_25(call: Call) -> dict[str, Any]:
    """Stable Audio 2.5 takes whole seconds."""
    sent = given(call, "duration", "seed", steps="num_inference_steps", cfg_scale="guidance_scale")
    if "duration" in sent:
        sent["duration"] = math.ceil(float(sent["duration"]))
    return {"prompt": call.prompt, **sent}


def _diffusion(call: Call) -> dict[str, Any]:
    """Stable Diffusion's models use our names for everything; guidance is at least 1."""
    guidance = {name: max(value, 1) for name, value in given(call, "guidance_scale").items()}
    return {"prompt": call.prompt, **call.parameters, **guidance}


def _flux(call: Call) -> dict[str, Any]:
    """FLUX takes an aspect ratio instead of a size; with `go_fast`, a seed does not reproduce the image."""
    sent = given(call, "seed", "num_inference_steps", guidance="guidance_scale")
    return {
        "prompt": call.prompt,
        "output_format": "png",
        "go_fast": "seed" not in sent,
        **sent,
        **_flux_size(call.parameters),
    }


def _flux_size(parameters: Mapping[str, Any]) -> dict[str, str]:
    if "width" not in parameters or "height" not in parameters:
        return {}
    width, height = parameters["width"], parameters["height"]
    small = width * height < _FLUX_SMALL
    return {"aspect_ratio": _nearest_aspect(width / height), "megapixels": "0.25" if small else "1"}


def _nearest_aspect(ratio: float) -> str:
    def distance(aspect: str) -> float:
        across, _, down = aspect.partition(":")
        return abs(math.log(ratio * int(down) / int(across)))

    return min(_FLUX_ASPECTS, key=distance)


def _svd(call: Call) -> dict[str, Any]:
    """Stable Video Diffusion generates 25 frames; the frame rate sets the duration."""
    sent = given(call, "seed")
    if "duration" in call.parameters:
        sent["frames_per_second"] = within(_SVD_FRAMES / float(call.parameters["duration"]), *_SVD_RATES)
    return {"input_image": _image(call), "video_length": "25_frames_with_svd_xt", **sent}


def _wan(call: Call) -> dict[str, Any]:
    """Wan 2.2 generates 81 to 121 frames at 5 to 30 a second, in landscape or portrait."""
    return {
        "prompt": call.prompt,
        **given(call, "seed"),
        **_WAN.length(call.parameters),
        **_wan_aspect(call.parameters),
    }


def _wan_aspect(parameters: Mapping[str, Any]) -> dict[str, str]:
    if "width" not in parameters or "height" not in parameters:
        return {}
    return {"aspect_ratio": "16:9" if parameters["width"] >= parameters["height"] else "9:16"}


_INPUTS: Styles = {
    "musicgen": _musicgen,
    "stable-audio-2.5": _stable_audio_25,
    "diffusion": _diffusion,
    "flux": _flux,
    "svd": _svd,
    "wan": _wan,
}


def _image(call: Call) -> str:
    """The input image as a data URI if it is small enough, else its URL."""
    size = len(call.image or b"")
    if size <= LARGEST_IMAGE:
        return image_inline(call)
    if url := image_url(call):
        return url
    raise ProviderError(
        FailureKind.BAD_INPUT,
        f"the input image is too large: Replicate accepts {LARGEST_IMAGE:,} bytes in a request, it has {size:,}, and "
        "it is not at a URL that Replicate could fetch. Send a smaller image, or a JPEG. Nothing was sent.",
    )
