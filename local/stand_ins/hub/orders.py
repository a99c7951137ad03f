"""The request to a model that an order in any partner's words makes."""

import re
from typing import Any

from local.stand_ins.framework.answers import refuse
from local.stand_ins.pipelines.asked import Asked, Task
from local.stand_ins.pipelines.hosted import animation, image, track, video

_DRAWN = ("width", "height", "num_inference_steps", "guidance_scale", "negative_prompt", "seed")
_PROPORTIONS = re.compile(r"(\d+)[x*:](\d+)")
_WIDE, _UPRIGHT = (384, 216), (216, 384)  # videos are rendered small, at any requested size
_RATE, _SECONDS = 24, 2
_TRACK_SECONDS = 30


def asked_of(order: dict[str, Any], task: Task) -> Asked:
    """The request that an order makes; raises Refused if it cannot be rendered."""
    if not isinstance(prompt := order.get("prompt") or "", str):
        refuse("prompt must be a string")
    match task:
        case Task.TEXT_TO_AUDIO:
            return track(prompt, seconds=order.get("seconds_total", _TRACK_SECONDS))
        case Task.TEXT_TO_IMAGE:
            return image(prompt, _drawn(order))
        case Task.TEXT_TO_VIDEO:
            return video(prompt, size=_video_size(order), **_length(order))
        case _:
            return animation(_image(order), **_length(order))


def _drawn(order: dict[str, Any]) -> dict[str, Any]:
    """An image's parameters: `steps` is Together's word, `image_size` fal's, `size` Nscale's and WaveSpeed's."""
    drawn = {name: order[name] for name in _DRAWN if order.get(name) is not None}
    if "steps" in order:
        drawn["num_inference_steps"] = order["steps"]
    if size := _PROPORTIONS.fullmatch(str(order.get("size"))):
        drawn |= {"width": int(size[1]), "height": int(size[2])}
    return {**drawn, **order.get("image_size", {})}


def _video_size(order: dict[str, Any]) -> tuple[int, int]:
    given = _PROPORTIONS.fullmatch(str(order.get("aspect_ratio") or order.get("size")))
    width, height = (int(given[1]), int(given[2])) if given else (order.get("width", 1), order.get("height", 1))
    return _WIDE if width >= height else _UPRIGHT


def _length(order: dict[str, Any]) -> dict[str, int]:
    fps = order.get("frames_per_second", _RATE)
    return {"frames": order.get("num_frames") or int(order.get("seconds", _SECONDS)) * fps, "fps": fps}


def _image(order: dict[str, Any]) -> str:
    """The input image, in any partner's field."""
    frames = order.get("frame_images") or [{}]
    return str(order.get("image_url") or order.get("image") or frames[0].get("input_image"))
