"""Replicate, through its own API."""
