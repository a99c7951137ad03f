"""A stand-in for SageMaker's asynchronous endpoints: what they queue, run, leave in S3, and tell by SNS."""

from local.stand_ins.sagemaker.faults import Fault
from local.stand_ins.sagemaker.invocations import Invocation
from local.stand_ins.sagemaker.server import SageMakerServer

__all__ = ["Fault", "Invocation", "SageMakerServer"]
