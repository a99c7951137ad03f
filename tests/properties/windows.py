"""What every paced account must show: in no rolling window more starts than it allows."""

from __future__ import annotations

from collections.abc import Iterable

from longplay.domain.pacing import Limit

ROUNDING = 1e-5  # seconds; epoch seconds in floating point are no finer than a quarter of a microsecond


def crowded(starts: Iterable[float], limit: Limit) -> list[tuple[float, float, int, float]]:
    """Every run of starts that is one too many for a window: its first, its last, and the window."""
    order = sorted(starts)
    return [
        (first, last, window.starts, window.seconds)
        for window in limit.windows
        for first, last in zip(order, order[window.starts :], strict=False)
        if last - first < window.seconds - ROUNDING
    ]
