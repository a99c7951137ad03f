"""The error of the operator's commands."""

from __future__ import annotations


class OperationError(Exception):
    """A command cannot be carried out; the message says what to do instead."""
