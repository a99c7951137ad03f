"""Replicate's own API."""
