"""A stand-in for fal: its queue, files and callbacks, with results rendered by procedure."""

from local.stand_ins.fal.requests import Request
from local.stand_ins.fal.server import FalServer
from local.stand_ins.framework.callback import Callback

__all__ = ["Callback", "FalServer", "Request"]
