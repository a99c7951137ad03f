"""The input of each model at fal, built from our parameters in the route's `style`.

Names and bounds are from the endpoints' schemas (fal.ai/models/{endpoint}/llms.txt, and the types generated from them
in github.com/fal-ai/fal-js, 2026-08). `sync_mode` is never set, so results are returned as URLs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

from longplay.providers.protocol import Call
from longplay.providers.reach import image_inline, image_url
from longplay.providers.translation import Styles, VideoLimits, given, in_style, within

_Bounds: TypeAlias = Mapping[str, tuple[float, float]]

_PASSED_ON = ("num_inference_steps", "guidance_scale", "seed")
_SDXL_BOUNDS: _Bounds = {"num_inference_steps": (1, 50)}
_WAN_BOUNDS: _Bounds = {"num_inference_steps": (2, 50), "guidance_scale": (1, 10)}
_SVD_FRAMES, _SVD_RATES = 25, (10, 100)
_WAN = VideoLimits(frames=(17, 161), rates=(4, 60), rate=24)
_WAN_I2V = VideoLimits(frames=(17, 161), rates=(4, 60), rate=16)
_WAN_TALL, _WAN_WIDE = 0.75, 4 / 3  # width/height below which a video is portrait, and above which it is landscape
_WAN_SMALL = 700_000  # pixels; 580p has 600,000, 720p 920,000


def input_of(call: Call) -> dict[str, Any]:
    """The request's input; raises ProviderError for an unknown style."""
    return in_style(call, _INPUTS, whose="fal's")


def _flux(call: Call) -> dict[str, Any]:
    """FLUX has no negative prompt."""
    return {"prompt": call.prompt, "output_format": "png", **given(call, *_PASSED_ON), **_size(call)}


def _sdxl(call: Call) -> dict[str, Any]:
    """`fal-ai/fast-sdxl` uses our names, except for the size."""
    sent = _bounded(given(call, "negative_prompt", *_PASSED_ON), _SDXL_BOUNDS)
    return {"prompt": call.prompt, "format": "png", **sent, **_size(call)}


def _size(call: Call) -> dict[str, Any]:
    size = given(call, "width", "height")
    return {"image_size": size} if len(size) == 2 else {}


def _stable_audio(call: Call) -> dict[str, Any]:
    """Stable Audio Open takes whole seconds, and has no seed."""
    return {"prompt": call.prompt, **_seconds(call), **given(call, steps="num_inference_steps")}


def _stable_audio_25(call: Call) -> dict[str, Any]:
    """Stable Audio 2.5 takes whole seconds."""
    return {"prompt": call.prompt, **_seconds(call), **given(call, *_PASSED_ON)}


def _ace_step(call: Call) -> dict[str, Any]:
    """ACE-Step would write lyrics and sing them; no other music model here sings."""
    sent = given(call, "duration", "seed", number_of_steps="num_inference_steps")
    return {"prompt": call.prompt, "instrumental": True, **sent}


def _seconds(call: Call) -> dict[str, int]:
    duration = call.parameters.get("duration")
    return {} if duration is None else {"seconds_total": math.ceil(float(duration))}


def _wan(call: Call) -> dict[str, Any]:
    """Wan 2.2 (5B) generates 17 to 161 frames, in landscape, portrait or square, in two sizes."""
    return {
        "prompt": call.prompt,
        **_bounded(given(call, "negative_prompt", *_PASSED_ON), _WAN_BOUNDS),
        **_WAN.length(call.parameters),
        **_wan_shape(call.parameters),
    }


def _wan_i2v(call: Call) -> dict[str, Any]:
    """Wan 2.2 (14B) animates an image with 17 to 161 frames, at 16 a second; the image sets the proportions."""
    sent = {**given(call, "seed"), **_WAN_I2V.length(call.parameters)}
    return {"prompt": call.prompt, "image_url": image_url(call) or image_inline(call), "resolution": "580p", **sent}


def _wan_shape(parameters: Mapping[str, Any]) -> dict[str, str]:
    if "width" not in parameters or "height" not in parameters:
        return {}
    width, height = parameters["width"], parameters["height"]
    resolution = "580p" if width * height < _WAN_SMALL else "720p"
    return {"aspect_ratio": _wan_aspect(width / height), "resolution": resolution}


def _wan_aspect(ratio: float) -> str:
    if ratio > _WAN_WIDE:
        return "16:9"
    return "9:16" if ratio < _WAN_TALL else "1:1"


def _svd(call: Call) -> dict[str, Any]:
    """Stable Video Diffusion generates 25 frames, at 10 a second or more."""
    sent = given(call, "seed")
    if "duration" in call.parameters:
        sent["fps"] = within(_SVD_FRAMES / float(call.parameters["duration"]), *_SVD_RATES)
    return {"image_url": image_url(call) or image_inline(call), **sent}


_INPUTS: Styles = {
    "flux": _flux,
    "sdxl": _sdxl,
    "stable-audio": _stable_audio,
    "stable-audio-2.5": _stable_audio_25,
    "ace-step": _ace_step,
    "wan": _wan,
    "wan-i2v": _wan_i2v,
    "svd": _svd,
}


def _bounded(sent: dict[str, Any], bounds: _Bounds) -> dict[str, Any]:
    """The parameters within the endpoint's bounds, which may be narrower than the model's in the catalogue."""
    return {
        name: min(max(value, bounds[name][0]), bounds[name][1]) if name in bounds else value
        for name, value in sent.items()
    }
