"""Checks that an MP4 file has its index and all of its content, by its boxes (ISO 14496-12, 4.2)."""

from __future__ import annotations

import struct

from longplay.media.broken import MOST_PARTS, Data, cut

_LEAST = 8  # bytes of a box


def check_mp4(data: Data) -> None:
    """Index and content are there, and no box breaks off; raises BrokenMedia."""
    names: set[bytes] = set()
    at = 0
    for _ in range(MOST_PARTS):
        if at == len(data):
            break
        name, end = _box(data, at)
        if end > len(data):
            raise cut("the file")
        names.add(name)
        at = end
    if b"moov" not in names or not names & {b"mdat", b"moof"}:
        raise cut("the file")


def _box(data: Data, at: int) -> tuple[bytes, int]:
    """The name and the end of a box; of size 0, it reaches to the end of the file."""
    size, name = struct.unpack_from(">I4s", data, at)
    if size == 1:
        (size,) = struct.unpack_from(">Q", data, at + 8)
    return name, at + max(size, _LEAST) if size else len(data)
