"""A stand-in for Replicate: its predictions, their files and its callbacks, with results rendered by procedure."""

from local.replicate_server.callbacks import Callback
from local.replicate_server.faults import Fault
from local.replicate_server.predictions import Prediction
from local.replicate_server.server import ReplicateServer

__all__ = ["Callback", "Fault", "Prediction", "ReplicateServer"]
