"""Amazon SageMaker's asynchronous endpoints: GPUs in the operator's AWS account."""
