"""Renders sound, pictures and video from a prompt by procedure, without a model."""
