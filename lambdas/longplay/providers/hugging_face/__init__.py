"""Hugging Face's contract: the router, Inference Endpoints, and self-hosted servers."""
