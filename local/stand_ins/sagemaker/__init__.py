"""A stand-in for SageMaker's asynchronous endpoints: invocations, their results in S3, their notices by SNS."""

from local.stand_ins.sagemaker.invocations import Invocation
from local.stand_ins.sagemaker.server import SageMakerServer

__all__ = ["Invocation", "SageMakerServer"]
