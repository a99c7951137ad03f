"""What is created in the operator's AWS account: one stack, one construct a capability."""
