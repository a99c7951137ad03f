"""Decides which requests are sent again, and when; does no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_TRIES = 6  # the first one and five repeats
LONGEST = 60.0  # seconds between two tries
LONGEST_POLL = 5.0  # seconds between two looks at a job: an estimate can be too long, and someone waits
_BROKEN = 500


def again_after(status: int, headers: Mapping[str, str], document: Mapping[str, Any], tries: int) -> float | None:
    """Seconds until a refused request is sent again; None if it is not, or if the wait is too long to be held."""
    if tries >= MOST_TRIES or not (document.get("retryable") or status >= _BROKEN):
        return None
    wait = _seconds(headers.get("retry-after")) or pause(tries)
    return wait if wait <= LONGEST else None


def pause(tries: int) -> float:
    """Seconds until the next try after a connection that failed: 0.5, 1, 2, …"""
    return min(LONGEST, 0.5 * 2.0 ** (tries - 1))


def poll_after(headers: Mapping[str, str]) -> float:
    """Seconds until a job that is not over is asked for again."""
    return min(LONGEST_POLL, _seconds(headers.get("retry-after")) or 2.0)


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdecimal() else None
