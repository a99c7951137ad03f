"""The functions, what they are made of, and the schedules and queues that start them."""
