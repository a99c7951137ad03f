"""Hugging Face's Inference Providers: partners reached through its router, with its token and on its bill."""
