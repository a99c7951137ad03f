"""A stand-in for a Space with Longplay's own Gradio app, and for what the Hub says about the Space."""

from local.stand_ins.space.server import SpaceServer

__all__ = ["SpaceServer"]
