"""The Lambda functions, their asset, and the schedules and queues that start them."""
