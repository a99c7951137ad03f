"""A stand-in for Hugging Face's model servers: their HTTP contract, with results rendered by procedure."""

from local.stand_ins.framework.faults import Fault
from local.stand_ins.framework.memory import Exchange
from local.stand_ins.model.gates import RateLimit
from local.stand_ins.model.server import ModelServer
from local.stand_ins.pipelines.asked import AudioShape

__all__ = ["AudioShape", "Exchange", "Fault", "ModelServer", "RateLimit"]
