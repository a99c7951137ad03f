"""Renders sound, images and video from a prompt by procedure, without a model: `render` is the only way in."""

from local.renderer import studio
from local.renderer.instruments import RATE as SAMPLE_RATE
from local.renderer.orders import AudioFormat, ImageFormat, ImageOrder, Order, Rendered, TrackOrder, VideoOrder

__all__ = [
    "SAMPLE_RATE",
    "AudioFormat",
    "ImageFormat",
    "ImageOrder",
    "Order",
    "Rendered",
    "TrackOrder",
    "VideoOrder",
    "render",
]


def render(order: Order, *, quick: bool = False) -> Rendered:
    """The file for an order; the same order always gives the same bytes.

    `quick` renders the least that is valid media: 20 ms of sound, 16 × 16 pixels, two frames.
    """
    return studio.rendered(order, quick=quick)
