"""A stand-in for Replicate: predictions, their files and callbacks, with results rendered by procedure."""

from local.stand_ins.framework.callback import Callback
from local.stand_ins.replicate.predictions import Prediction
from local.stand_ins.replicate.server import ReplicateServer

__all__ = ["Callback", "Prediction", "ReplicateServer"]
