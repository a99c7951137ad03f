"""Longplay: one generation job, from a prompt to a file."""
