"""One file, fetched whole though connections break: what has come is kept, and the rest of it is asked for."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.http_client import Answer, CutOff, exchange, server_of

MOST_CONNECTIONS = 6  # for one file
LONGEST_SILENCE = 20.0  # seconds without a byte, after which another connection is made

_SHORTEST_TIME = 1.0  # seconds a file is given though the others took all there was
_BROKEN = (FailureKind.UPSTREAM, FailureKind.TIMEOUT)
_PIECE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})", re.ASCII)
_NO_PIECE = re.compile(r"bytes \*/(\d{1,15})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """The file's beginning: how many bytes there are of how many, and of which version; None where nobody says."""

    bytes: int = 0
    total: int | None = None
    version: str | None = None

    @property
    def whole(self) -> bool:
        return self.bytes == self.total

    @property
    def ask(self) -> dict[str, str]:
        """The headers that ask for the rest, or for all where a changed file could not be told from this one."""
        if not self.bytes or (self.version is None and self.total is None):
            return {}
        return {"Range": f"bytes={self.bytes}-", **({"If-Range": self.version} if self.version else {})}


_NOTHING = _Kept()


def fetch_whole(
    url: str, path: Path, *, largest: int, until: float, longest_silence: float = LONGEST_SILENCE
) -> Answer:
    """Save the file at `path` by `until` (by `time.monotonic`), `largest` bytes of it, over several connections.

    Returns 200 with the whole file, or what the server says instead of sending it. Raises ProviderError when the file
    is larger, the server cannot be reached, or the last connection broke too. Ranges are RFC 9110's (§13.1.5, §14).
    """
    kept, part = _NOTHING, path.with_suffix(".part")
    for _ in range(MOST_CONNECTIONS):
        answer, broken = _connect(url, kept, part, largest=largest, until=until, longest_silence=longest_silence)
        if answer is not None:
            join = _JOINS.get(answer.status)
            if join is None or (answer.status != 200 and not kept.ask):
                return answer
            kept = join(kept, answer, path)
            if kept.whole or (answer.status == 200 and broken is None):
                return replace(answer, status=200, body=path, bytes=kept.bytes)
        _refuse_too_large(kept, url, largest)
        if time.monotonic() >= until:
            break
    raise broken or _in_pieces(url)


def _connect(
    url: str, kept: _Kept, part: Path, *, largest: int, until: float, longest_silence: float
) -> tuple[Answer | None, ProviderError | None]:
    """What came over one connection, and what broke it, if anything did."""
    try:
        answer = exchange(
            "GET",
            url,
            headers=kept.ask,
            save_to=part,
            largest=largest,
            timeout=max(until - time.monotonic(), _SHORTEST_TIME),
            longest_silence=longest_silence,
        )
    except CutOff as cut:
        return cut.answer, cut
    except ProviderError as error:
        if error.kind not in _BROKEN:
            raise
        return None, error
    return answer, None


def _anew(_: _Kept, answer: Answer, path: Path) -> _Kept:
    """All of it from its first byte, whatever was asked for."""
    answer.body.replace(path)
    if _encoded(answer.headers):
        return _Kept(bytes=answer.bytes)
    return _Kept(bytes=answer.bytes, total=_length(answer.headers), version=_version(answer.headers))


def _onward(kept: _Kept, answer: Answer, path: Path) -> _Kept:
    """The file with this piece of it, or nothing of either where they do not belong together."""
    piece = _PIECE.fullmatch(answer.headers.get("Content-Range", ""))
    if piece is None or _encoded(answer.headers):
        return _NOTHING
    first, last, total = map(int, piece.groups())
    fits = first == kept.bytes and answer.bytes <= last - first + 1 and last < total
    same = kept.total in (None, total) and _version(answer.headers) in (None, kept.version)
    if not fits or not same:
        return _NOTHING
    _append(answer.body, path)
    return replace(kept, bytes=kept.bytes + answer.bytes, total=total)


def _no_more(kept: _Kept, answer: Answer, _: Path) -> _Kept:
    """The whole file, if it ends where this one does: then only its end had not been told."""
    end = _NO_PIECE.fullmatch(answer.headers.get("Content-Range", ""))
    return replace(kept, total=kept.bytes) if end and int(end[1]) == kept.bytes else _NOTHING


_JOINS = {200: _anew, 206: _onward, 416: _no_more}


def _append(part: Path, path: Path) -> None:
    with part.open("rb") as piece, path.open("ab") as file:
        shutil.copyfileobj(piece, file)
    part.unlink()


def _encoded(headers: Mapping[str, str]) -> bool:
    """Whether bytes were saved otherwise than they were sent, so that none of them can be counted."""
    return headers.get("Content-Encoding", "identity").lower() != "identity"


def _length(headers: Mapping[str, str]) -> int | None:
    length = headers.get("Content-Length", "")
    return int(length) if re.fullmatch(r"[0-9]{1,15}", length) else None


def _version(headers: Mapping[str, str]) -> str | None:
    """What tells one version of a file from another; a weak ETag does not, byte by byte."""
    etag: str = headers.get("ETag", "W/")
    return headers.get("Last-Modified") if etag.startswith("W/") else etag


def _refuse_too_large(kept: _Kept, url: str, largest: int) -> None:
    if kept.total is not None and kept.total > largest:
        raise ProviderError(
            FailureKind.BAD_OUTPUT,
            f"{server_of(url)} has a file of more than {largest:,} bytes: ask for something shorter or smaller",
            charged=Charged.YES,
        )


def _in_pieces(url: str) -> ProviderError:
    return ProviderError(FailureKind.UPSTREAM, f"{server_of(url)} sends a file whose pieces do not fit together")
