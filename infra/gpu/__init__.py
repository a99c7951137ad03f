"""SageMaker endpoints in the operator's account."""
