"""Figures as the benchmarks print them: aligned tables, medians with their spread."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median, quantiles


def show(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]], *notes: str) -> None:
    """Print a table under its title, numbers to the right, and what there is to say about it below."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    print(f"\n{title}\n")
    for line in (heads, ["-" * width for width in widths], *cells):
        print("  " + "  ".join(_aligned(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip())
    print("".join(f"\n  {note}" for note in notes), flush=True)


def spread(values: Sequence[float], unit: str, *, digits: int = 0) -> str:
    """The median and, in brackets, the middle half of the values."""
    low, _, high = quantiles(values, n=4, method="inclusive")
    return f"{median(values):.{digits}f} {unit} [{low:.{digits}f}–{high:.{digits}f}]"


def _aligned(cell: str, width: int) -> str:
    return cell.rjust(width) if cell[:1].isdigit() else cell.ljust(width)
