"""A stand-in for Replicate: its predictions, their files and its callbacks, with results rendered by procedure."""

from local.replicate_server.predictions import Prediction
from local.replicate_server.server import ReplicateServer
from local.stand_in.callback import Callback

__all__ = ["Callback", "Prediction", "ReplicateServer"]
