"""A request to the Space's app, as an order for the renderer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.renderer import ImageOrder, Order, TrackOrder, VideoOrder
from spaces.longplay.asked import Asked

RENDERED_RATE = 7  # frames a second
RENDERED_SIZE = {"width": 384, "height": 216}  # pixels of a video; at the model's own size it would take a minute
_VIDEO: dict[str, Any] = {**RENDERED_SIZE, "guidance_scale": 1.0, "negative_prompt": None}


def order_of(request: Asked) -> Order:
    """The order for a request; raises OSError if its image cannot be read."""
    if request.family == "music":
        return TrackOrder(prompt=request.prompt, seconds=float(request.parameters["duration"]))
    if request.family == "image":
        return _image(request.prompt, request.parameters)
    frames = round(float(request.parameters["duration"]) * RENDERED_RATE)
    frame = _image(request.prompt, {**_VIDEO, **request.parameters})
    return VideoOrder(frame=frame, image=Path(str(request.image)).read_bytes(), frames=frames, fps=RENDERED_RATE)


def _image(prompt: str, parameters: Mapping[str, Any]) -> ImageOrder:
    return ImageOrder(
        prompt=prompt,
        width=parameters["width"],
        height=parameters["height"],
        steps=parameters["num_inference_steps"],
        guidance=float(parameters["guidance_scale"]),
        seed=parameters["seed"] or 0,
        negative=parameters["negative_prompt"] or "",
    )
