"""SageMaker endpoints of the operator."""
