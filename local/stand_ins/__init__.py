"""Servers that stand in for the providers on this machine."""
