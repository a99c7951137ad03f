"""Amazon SageMaker's asynchronous endpoints: GPUs in the operator's own account."""
