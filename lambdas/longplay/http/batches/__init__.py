"""The use cases of callers that send many requests at once."""
