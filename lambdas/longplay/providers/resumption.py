"""Downloads one file over several connections: after a break, only the missing rest is requested."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from longplay.domain.errors import Case, Charged, FailureKind, ProviderError
from longplay.providers.http_client import Answer, CutOff, exchange, server_of

MOST_CONNECTIONS = 6  # for one file
LONGEST_SILENCE = 20.0  # seconds without a byte before a new connection is made

_SHORTEST_TIME = 1.0  # seconds a file gets even if the other files used up the time
_BROKEN = (FailureKind.UPSTREAM, FailureKind.TIMEOUT)
_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})", re.ASCII)
_UNSATISFIED = re.compile(r"bytes \*/(\d{1,15})", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """The start of the file on disk: its size, the file's total size, and its version; None if unknown."""

    bytes: int = 0
    total: int | None = None
    version: str | None = None

    @property
    def whole(self) -> bool:
        return self.bytes == self.total

    @property
    def range_headers(self) -> dict[str, str]:
        """The headers that request the rest; none if a changed file would go unnoticed, so all of it is requested."""
        if not self.bytes or (self.version is None and self.total is None):
            return {}
        return {"Range": f"bytes={self.bytes}-", **({"If-Range": self.version} if self.version else {})}


_NOTHING = _Kept()


def fetch_whole(
    url: str,
    path: Path,
    *,
    largest: int,
    until: float,
    headers: Mapping[str, str] = MappingProxyType({}),
    longest_silence: float = LONGEST_SILENCE,
) -> Answer:
    """Save a file of at most `largest` bytes to `path` by `until` (`time.monotonic`), over several connections.

    `headers` are sent with each request.

    Returns 200 with the complete file, or the server's other answer. Raises ProviderError if the file is larger, the
    server cannot be reached, or the last connection also broke. Range requests follow RFC 9110 (§13.1.5, §14).
    """
    kept, part = _NOTHING, path.with_suffix(".part")
    for _ in range(MOST_CONNECTIONS):
        answer, error = _connect(
            url, kept, part, headers=headers, largest=largest, until=until, longest_silence=longest_silence
        )
        if answer is not None:
            join = _JOINS.get(answer.status)
            if join is None or (answer.status != 200 and not kept.range_headers):
                return answer
            kept = join(kept, answer, path)
            if kept.whole or (answer.status == 200 and error is None):
                return replace(answer, status=200, body=path, bytes=kept.bytes)
        _refuse_too_large(kept, url, largest)
        if time.monotonic() >= until:
            break
    raise error or _mismatched_ranges(url)


def _connect(
    url: str,
    kept: _Kept,
    part: Path,
    *,
    headers: Mapping[str, str],
    largest: int,
    until: float,
    longest_silence: float,
) -> tuple[Answer | None, ProviderError | None]:
    """The answer of one connection, and the error that broke it, if any."""
    try:
        answer = exchange(
            "GET",
            url,
            headers={**headers, **kept.range_headers},
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


def _restart(_: _Kept, answer: Answer, path: Path) -> _Kept:
    """The file from its first byte, even if only the rest was requested."""
    answer.body.replace(path)
    if _encoded(answer.headers):
        return _Kept(bytes=answer.bytes)
    return _Kept(bytes=answer.bytes, total=_length(answer.headers), version=_version(answer.headers))


def _append(kept: _Kept, answer: Answer, path: Path) -> _Kept:
    """The file with this range appended, or nothing if the two do not fit together."""
    found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if found is None or _encoded(answer.headers):
        return _NOTHING
    first, last, total = map(int, found.groups())
    fits = first == kept.bytes and answer.bytes <= last - first + 1 and last < total
    same = kept.total in (None, total) and _version(answer.headers) in (None, kept.version)
    if not fits or not same:
        return _NOTHING
    _append_file(answer.body, path)
    return replace(kept, bytes=kept.bytes + answer.bytes, total=total)


def _at_end(kept: _Kept, answer: Answer, _: Path) -> _Kept:
    """The complete file, if it ends where ours does: until now only its total size was unknown."""
    end = _UNSATISFIED.fullmatch(answer.headers.get("Content-Range", ""))
    return replace(kept, total=kept.bytes) if end and int(end[1]) == kept.bytes else _NOTHING


_JOINS = {200: _restart, 206: _append, 416: _at_end}


def _append_file(part: Path, path: Path) -> None:
    with part.open("rb") as source, path.open("ab") as target:
        shutil.copyfileobj(source, target)
    part.unlink()


def _encoded(headers: Mapping[str, str]) -> bool:
    """Whether the body was decompressed when saved, so that its bytes do not match byte ranges."""
    return headers.get("Content-Encoding", "identity").lower() != "identity"


def _length(headers: Mapping[str, str]) -> int | None:
    length = headers.get("Content-Length", "")
    return int(length) if re.fullmatch(r"[0-9]{1,15}", length) else None


def _version(headers: Mapping[str, str]) -> str | None:
    """A validator of the file's version. A weak ETag is not enough: equal ones may differ in bytes."""
    etag: str = headers.get("ETag", "W/")
    return headers.get("Last-Modified") if etag.startswith("W/") else etag


def _refuse_too_large(kept: _Kept, url: str, largest: int) -> None:
    if kept.total is not None and kept.total > largest:
        raise ProviderError(
            FailureKind.BAD_OUTPUT,
            f"{server_of(url)} has a file of more than {largest:,} bytes: ask for something shorter or smaller",
            charged=Charged.YES,
            case=Case.LARGE_RESULT,
        )


def _mismatched_ranges(url: str) -> ProviderError:
    return ProviderError(FailureKind.UPSTREAM, f"{server_of(url)} sends ranges of a file that do not fit together")
