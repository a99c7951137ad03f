"""The error of a file that is no complete media, and the view of a file's bytes that the checks read."""

from __future__ import annotations

from mmap import mmap
from typing import TypeAlias

MOST_PARTS = 1_000_000  # chunks, pages or frames read in one file

Data: TypeAlias = bytes | mmap
"""The bytes of a file; a mapped file is read as far as needed."""


class BrokenMedia(Exception):
    """The file or the samples cannot be played or shown; the message says why."""


def cut(what: str = "the file") -> BrokenMedia:
    """The error of a file that ends before its content does."""
    return BrokenMedia(f"{what} breaks off before its end")
