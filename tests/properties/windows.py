"""The guarantee of a paced account: no rolling window has more starts than it allows."""

from __future__ import annotations

from collections.abc import Iterable

from longplay.domain.pacing import Limit

ROUNDING = 1e-5  # seconds; floating-point epoch seconds have a resolution of a quarter of a microsecond


def overfull_windows(starts: Iterable[float], limit: Limit) -> list[tuple[float, float, int, float]]:
    """Each run of starts with one too many for a window: the first, the last, and the window."""
    order = sorted(starts)
    return [
        (first, last, window.starts, window.seconds)
        for window in limit.windows
        for first, last in zip(order, order[window.starts :], strict=False)
        if last - first < window.seconds - ROUNDING
    ]
