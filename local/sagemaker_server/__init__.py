"""A stand-in for SageMaker's asynchronous endpoints: what they queue, run, leave in S3, and tell by SNS."""

from local.sagemaker_server.faults import Fault
from local.sagemaker_server.invocations import Invocation
from local.sagemaker_server.server import SageMakerServer

__all__ = ["Fault", "Invocation", "SageMakerServer"]
