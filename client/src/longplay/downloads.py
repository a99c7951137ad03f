"""Saves a file: by parts that are kept, whole or not at all, and only with the right content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2

from longplay.documents import Output
from longplay.errors import DownloadFailed
from longplay.repeats import MOST_TRIES, pause

_PIECE = 256 * 1024  # bytes
_AS_IT_IS = {"Accept-Encoding": "identity"}  # so that bytes are counted as they are stored
_PART, _REFUSED, _TOO_MANY, _BROKEN = 206, 400, 429, 500


@dataclass(frozen=True, kw_only=True)
class Download:
    """One file at its link, which leads to a new URL each time, and which needs no key."""

    http: httpx2.Client
    address: str
    output: Output
    sleep: Callable[[float], None]

    def to(self, target: Path, on_bytes: Callable[[int], None]) -> Path:
        """The target, after the file is there; `on_bytes` gets how much of it has arrived. Raises DownloadFailed."""
        # named after the content too, so that it is not taken for a part of another file of this name
        part = target.with_name(f"{target.name}.{self.output.sha256[:8]}.part")
        for tries in range(1, MOST_TRIES + 1):
            with suppress(httpx2.TransportError, _Busy):
                self._go_on(part, on_bytes)
                break
            self.sleep(pause(tries))
        self._check(part)
        part.replace(target)
        return target

    def stream(self) -> Iterator[bytes]:
        """The content of the file in pieces, for a pipe; raises DownloadFailed, at its end too if it was not whole."""
        digest = hashlib.sha256()
        try:
            with self.http.stream("GET", self.address, headers=_AS_IT_IS, follow_redirects=True) as response:
                _refuse(response)
                for piece in response.iter_bytes():
                    digest.update(piece)
                    yield piece
        except (httpx2.TransportError, _Busy) as error:
            raise DownloadFailed(f"The file cannot be fetched now ({error}). Try again.") from error
        if digest.hexdigest() != self.output.sha256:
            raise DownloadFailed("The file did not arrive whole. Try again.")

    def _go_on(self, part: Path, on_bytes: Callable[[int], None]) -> None:
        there = part.stat().st_size if part.exists() else 0
        if there >= self.output.bytes:
            return
        # the content of a link never changes, so a part of it fits to the rest
        headers = {**_AS_IT_IS, **({"Range": f"bytes={there}-"} if there else {})}
        with self.http.stream("GET", self.address, headers=headers, follow_redirects=True) as response:
            _refuse(response)
            goes_on = response.status_code == _PART
            with part.open("ab" if goes_on else "wb") as file:
                for piece in response.iter_bytes():
                    file.write(piece)
                    on_bytes(file.tell())

    def _check(self, part: Path) -> None:
        there = part.stat().st_size if part.exists() else 0
        if there < self.output.bytes:
            raise DownloadFailed(
                f"Only {there:,} of {self.output.bytes:,} bytes have arrived. Try again: it goes on from there."
            )
        if not is_file_of(self.output, part):
            part.unlink()
            raise DownloadFailed("What arrived is not the file that was made. It is deleted; try again.")


class _Busy(Exception):
    """The API or the bucket takes no requests for now."""


def is_file_of(output: Output, path: Path) -> bool:
    """Whether the file at the path is that of the output, by its SHA-256: many files of one size are not."""
    if not path.is_file() or path.stat().st_size != output.bytes:
        return False
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest() == output.sha256


def _refuse(response: httpx2.Response) -> None:
    status = response.status_code
    if status == _TOO_MANY or status >= _BROKEN:
        raise _Busy(f"status {status}")
    if status >= _REFUSED:
        raise DownloadFailed(f"The file is not there ({status}). It is kept until the job's `expires_at`.")
