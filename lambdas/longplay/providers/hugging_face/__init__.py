"""Hugging Face's contract: the router, Inference Endpoints, and servers of one's own."""
