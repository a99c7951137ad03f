"""The pages about error codes."""
