"""What each model on Replicate takes: our parameters in its own words, chosen by the route's `style`.

Names and bounds are those of the models' schemas (replicate.com/{owner}/{name}/versions/{version}/api, 2026-11).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from longplay.errors import FailureKind, ProviderError
from longplay.providers.protocol import Call
from longplay.providers.reach import image_inline, image_url

LARGEST_IMAGE = 256_000  # bytes Replicate takes in a data URI; above, it wants an address

_FLUX_ASPECTS = ("1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4", "3:4", "4:3", "9:16", "9:21")
_FLUX_SMALL = 600_000  # pixels; below, a quarter of a megapixel is nearer than a whole one
_SVD_FRAMES, _SVD_RATES = 25, (5, 30)
_WAN_FRAMES, _WAN_RATES, _WAN_RATE = (81, 121), (5, 30), 24


def input_of(call: Call) -> dict[str, Any]:
    """The prediction's input; raises ProviderError for a style that is not here, or an image that is too large."""
    build = _INPUTS.get(call.style)
    if build is None:
        raise ProviderError(
            FailureKind.NOT_SERVED,
            f"the route to {call.model} names no style of Replicate's in models.toml: it says “{call.style}”, "
            f"there are {', '.join(_INPUTS)}. Nothing was sent.",
        )
    return build(call)


def _musicgen(call: Call) -> dict[str, Any]:
    """`meta/musicgen` takes whole seconds and a whole number for guidance."""
    given = _given(call, "duration", "seed", "top_k", "top_p", "temperature")
    if "duration" in given:
        given["duration"] = math.ceil(float(given["duration"]))
    if "guidance_scale" in call.parameters:
        given["classifier_free_guidance"] = round(float(call.parameters["guidance_scale"]))
    return {"prompt": call.prompt, "model_version": "large", "output_format": "wav", **given}


def _diffusion(call: Call) -> dict[str, Any]:
    """Stable Diffusion's models have our names for everything."""
    return {"prompt": call.prompt, **call.parameters}


def _flux(call: Call) -> dict[str, Any]:
    """FLUX takes an aspect ratio for a size; with `go_fast` a seed would not bring the same picture again."""
    given = _given(call, "seed", "num_inference_steps")
    if "guidance_scale" in call.parameters:
        given["guidance"] = call.parameters["guidance_scale"]
    return {
        "prompt": call.prompt,
        "output_format": "png",
        "go_fast": "seed" not in given,
        **given,
        **_flux_size(call.parameters),
    }


def _flux_size(parameters: Mapping[str, Any]) -> dict[str, str]:
    if "width" not in parameters or "height" not in parameters:
        return {}
    width, height = parameters["width"], parameters["height"]
    small = width * height < _FLUX_SMALL
    return {"aspect_ratio": _nearest_aspect(width / height), "megapixels": "0.25" if small else "1"}


def _nearest_aspect(proportion: float) -> str:
    def distance(aspect: str) -> float:
        across, _, down = aspect.partition(":")
        return abs(math.log(proportion * int(down) / int(across)))

    return min(_FLUX_ASPECTS, key=distance)


def _svd(call: Call) -> dict[str, Any]:
    """Stable Video Diffusion makes 25 frames; how long they last is how fast they follow each other."""
    given = _given(call, "seed")
    if "duration" in call.parameters:
        given["frames_per_second"] = _within(_SVD_FRAMES / float(call.parameters["duration"]), *_SVD_RATES)
    return {"input_image": _image(call), "video_length": "25_frames_with_svd_xt", **given}


def _wan(call: Call) -> dict[str, Any]:
    """Wan 2.2 makes 81 to 121 frames at 5 to 30 a second, wide or upright."""
    return {
        "prompt": call.prompt,
        **_given(call, "seed"),
        **_wan_length(call.parameters),
        **_wan_aspect(call.parameters),
    }


def _wan_length(parameters: Mapping[str, Any]) -> dict[str, int]:
    if "duration" not in parameters:
        return {}
    frames = _within(parameters["duration"] * _WAN_RATE, *_WAN_FRAMES)
    return {"num_frames": frames, "frames_per_second": _within(frames / parameters["duration"], *_WAN_RATES)}


def _wan_aspect(parameters: Mapping[str, Any]) -> dict[str, str]:
    if "width" not in parameters or "height" not in parameters:
        return {}
    return {"aspect_ratio": "16:9" if parameters["width"] >= parameters["height"] else "9:16"}


_INPUTS: Mapping[str, Callable[[Call], dict[str, Any]]] = {
    "musicgen": _musicgen,
    "diffusion": _diffusion,
    "flux": _flux,
    "svd": _svd,
    "wan": _wan,
}


def _given(call: Call, *names: str) -> dict[str, Any]:
    return {name: call.parameters[name] for name in names if name in call.parameters}


def _within(number: float, least: int, most: int) -> int:
    return min(max(round(number), least), most)


def _image(call: Call) -> str:
    """In the request while it is small enough, so that it need not be fetched; else where it lies."""
    size = len(call.image or b"")
    if size <= LARGEST_IMAGE:
        return image_inline(call)
    if url := image_url(call):
        return url
    raise ProviderError(
        FailureKind.BAD_INPUT,
        f"the input image is too large: Replicate takes {LARGEST_IMAGE:,} bytes with a request, it has {size:,}, and "
        "lies nowhere Replicate could fetch it. Send a smaller one, or a JPEG. Nothing was sent.",
    )
