"""The request to a model that an order in any partner's words makes."""

import re
from typing import Any

from local.stand_ins.framework.answers import refuse
from local.stand_ins.pipelines.asked import Asked, Task
from local.stand_ins.pipelines.hosted import animation, image, video

_DRAWN = ("width", "height", "num_inference_steps", "guidance_scale", "negative_prompt", "seed")
_PROPORTIONS = re.compile(r"(\d+)[x*:](\d+)")
_WIDE, _UPRIGHT = (384, 216), (216, 384)  # videos are rendered small, whatever was asked
_RATE, _SECONDS = 24, 2


def asked(order: dict[str, Any], task: Task) -> Asked:
    """What is to be rendered; raises Refused where nothing can be."""
    if not isinstance(prompt := order.get("prompt") or "", str):
        refuse("prompt must be a string")
    match task:
        case Task.TEXT_TO_IMAGE:
            return image(prompt, _drawn(order))
        case Task.TEXT_TO_VIDEO:
            return video(prompt, size=_video_size(order), **_length(order))
        case _:
            return animation(_image(order), **_length(order))


def _drawn(order: dict[str, Any]) -> dict[str, Any]:
    """`steps` is Together's word, `image_size` fal's; Nscale and WaveSpeed write a size in one."""
    drawn = {name: order[name] for name in _DRAWN if order.get(name) is not None}
    if "steps" in order:
        drawn["num_inference_steps"] = order["steps"]
    if size := _PROPORTIONS.fullmatch(str(order.get("size"))):
        drawn |= {"width": int(size[1]), "height": int(size[2])}
    return {**drawn, **order.get("image_size", {})}


def _video_size(order: dict[str, Any]) -> tuple[int, int]:
    said = _PROPORTIONS.fullmatch(str(order.get("aspect_ratio") or order.get("size")))
    width, height = (int(said[1]), int(said[2])) if said else (order.get("width", 1), order.get("height", 1))
    return _WIDE if width >= height else _UPRIGHT


def _length(order: dict[str, Any]) -> dict[str, int]:
    fps = order.get("frames_per_second", _RATE)
    return {"frames": order.get("num_frames") or int(order.get("seconds", _SECONDS)) * fps, "fps": fps}


def _image(order: dict[str, Any]) -> str:
    """The input image, wherever a partner takes one."""
    frames = order.get("frame_images") or [{}]
    return str(order.get("image_url") or order.get("image") or frames[0].get("input_image"))
