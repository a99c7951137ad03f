"""Hugging Face's Inference Providers: partners called through its router, with its token and billed by it."""
