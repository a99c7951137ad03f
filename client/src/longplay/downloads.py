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
_PART = 206


@dataclass(frozen=True, kw_only=True)
class Download:
    """One file at its link, which leads to a new URL each time, and which needs no key."""

    http: httpx2.Client
    address: str
    output: Output
    sleep: Callable[[float], None]

    def to(self, target: Path, on_bytes: Callable[[int], None]) -> Path:
        """The target, after the file is there; `on_bytes` gets how much of it has arrived. Raises DownloadFailed."""
        part = target.with_name(f"{target.name}.part")
        for tries in range(1, MOST_TRIES + 1):
            with suppress(httpx2.TransportError):
                self._go_on(part, on_bytes)
                break
            self.sleep(pause(tries))
        self._check(part)
        part.replace(target)
        return target

    def stream(self) -> Iterator[bytes]:
        """The content of the file in pieces, for a pipe; raises DownloadFailed."""
        with self.http.stream("GET", self.address, headers=_AS_IT_IS, follow_redirects=True) as response:
            self._refuse(response)
            yield from response.iter_bytes()

    def _go_on(self, part: Path, on_bytes: Callable[[int], None]) -> None:
        there = part.stat().st_size if part.exists() else 0
        if there >= self.output.bytes:
            return
        # the content of a link never changes, so a part of it fits to the rest
        headers = {**_AS_IT_IS, **({"Range": f"bytes={there}-"} if there else {})}
        with self.http.stream("GET", self.address, headers=headers, follow_redirects=True) as response:
            self._refuse(response)
            goes_on = response.status_code == _PART
            with part.open("ab" if goes_on else "wb") as file:
                for piece in response.iter_bytes():
                    file.write(piece)
                    on_bytes(file.tell())

    def _refuse(self, response: httpx2.Response) -> None:
        if response.status_code >= 400:
            raise DownloadFailed(
                f"The file is not there ({response.status_code}). It is kept until the job's `expires_at`."
            )

    def _check(self, part: Path) -> None:
        there = part.stat().st_size if part.exists() else 0
        if there < self.output.bytes:
            raise DownloadFailed(
                f"The connection broke off after {there:,} of {self.output.bytes:,} bytes. "
                "Try again: it goes on from there."
            )
        with part.open("rb") as file:
            digest = hashlib.sha256()
            while piece := file.read(_PIECE):
                digest.update(piece)
        if digest.hexdigest() != self.output.sha256:
            part.unlink()
            raise DownloadFailed("What arrived is not the file that was made. It is deleted; try again.")
