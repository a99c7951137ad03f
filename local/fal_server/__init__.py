"""A stand-in for fal: its queue, its files and its callbacks, with results rendered by procedure."""

from local.fal_server.requests import Request
from local.fal_server.server import FalServer
from local.stand_in.callback import Callback

__all__ = ["Callback", "FalServer", "Request"]
