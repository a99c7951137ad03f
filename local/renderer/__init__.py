"""Renders sound, images and video from a prompt by procedure, without a model."""
