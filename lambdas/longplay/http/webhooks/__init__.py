"""Webhooks: what they are told, how it is signed and sent, and what callers can ask about it."""
