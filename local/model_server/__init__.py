"""A stand-in for Hugging Face's model servers: their wire contract, with results rendered by procedure."""

from local.model_server.faults import Fault
from local.model_server.gates import RateLimit
from local.model_server.server import ModelServer
from local.model_server.wire import AudioShape
from local.stand_in.memory import Exchange

__all__ = ["AudioShape", "Exchange", "Fault", "ModelServer", "RateLimit"]
