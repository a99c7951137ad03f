"""A job's own document as a request: it can be posted back to make the same request again."""

from __future__ import annotations

from typing import Any

#: The members of a job's document that tell how it went. A request has no such members.
SHOWN_ONLY = frozenset(
    {
        "id",
        "status",
        "created_at",
        "started_at",
        "completed_at",
        "deadline",
        "expires_at",
        "wait",
        "attempts",
        "cost",
        "served_by",
        "cached",
        "outputs",
        "error",
        "retry_of",
        "batch",
        "custom_id",
        "license",
        "not_honored",
        "urls",
        "webhook",
    }
)

_OF_EVERY_JOB = frozenset({"id", "status", "created_at"})


def without_shown_members(fields: dict[str, Any]) -> dict[str, Any]:
    """The members of a request. Only in a whole document of a job are the others left out, else they are unknown."""
    if not fields.keys() >= _OF_EVERY_JOB:
        return fields
    return {name: value for name, value in fields.items() if name not in SHOWN_ONLY}
