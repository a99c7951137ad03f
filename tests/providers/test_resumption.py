"""Resumed downloads: the saved file equals the server's byte for byte, or the download fails."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from longplay.domain.errors import FailureKind
from longplay.providers.resumption import MOST_CONNECTIONS, fetch_whole

from tests.providers.failures import raised
from tests.providers.raw_server import RawServer, answer

KEPT = 65_536  # bytes that are saved at a time, and so the part left after a cut

FILE = bytes(range(251)) * 1_000
TOTAL = len(FILE)
ETAG = {"ETag": '"one"'}
DATE = {"Last-Modified": "Sat, 21 Nov 2026 08:00:00 GMT"}


Fetch = Callable[..., bytes | int]


def cut(body: bytes, headers: Mapping[str, str] = ETAG, *, total: int = TOTAL) -> bytes:
    """A 200 whose connection breaks after these bytes of the file."""
    return answer(200, body, {**headers, "Content-Length": str(total)})


def unended(body: bytes, headers: bytes = b"") -> bytes:
    """An answer of unknown length that breaks after this body."""
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + headers
    return start + b"\r\n%x\r\n" % len(body) + body + b"\r\n"


def piece(
    first: int,
    body: bytes,
    headers: Mapping[str, str] = ETAG,
    *,
    total: int = TOTAL,
    last: int | None = None,
    length: int | None = None,
) -> bytes:
    """A 206 with these bytes of the file, from `first` on."""
    last = first + len(body) - 1 if last is None else last
    framed = {} if length is None else {"Content-Length": str(length)}
    return answer(206, body, {**headers, "Content-Range": f"bytes {first}-{last}/{total}", **framed})


@pytest.fixture
def fetch(server: RawServer, tmp_path: Path) -> Fetch:
    """Fetches from a server that gives these answers in turn, and then the last one again and again."""

    def make(*answers: bytes, largest: int = 1_000_000, seconds: float = 5.0, **options: Any) -> bytes | int:
        left = [*answers]
        server.script = lambda connection: connection.sendall(left.pop(0) if len(left) > 1 else left[0])
        path, until = tmp_path / "output-0", time.monotonic() + seconds
        got = fetch_whole(server.url, path, largest=largest, until=until, **options)
        return path.read_bytes() if got.status == 200 else got.status

    return make


def asked(server: RawServer) -> list[tuple[str | None, str | None]]:
    """The range of each request, and the version it names."""
    return [(request.headers.get("range"), request.headers.get("if-range")) for request in server.requests]


@pytest.mark.parametrize(
    ("headers", "version"), [(ETAG, '"one"'), (DATE, DATE["Last-Modified"]), (ETAG | DATE, '"one"'), ({}, None)]
)
def test_the_rest_is_asked_for_in_the_same_version(
    server: RawServer, fetch: Fetch, headers: dict[str, str], version: str | None
) -> None:
    """The second request asks for the missing bytes, with the ETag or the date of the first answer."""
    assert fetch(cut(FILE[:KEPT], headers), piece(KEPT, FILE[KEPT:], headers)) == FILE
    assert asked(server) == [(None, None), (f"bytes={KEPT}-", version)]


def test_a_weak_etag_is_replaced_by_the_date(server: RawServer, fetch: Fetch) -> None:
    """With a weak ETag, the second request names the date instead."""
    headers = {"ETag": 'W/"one"', **DATE}
    assert fetch(cut(FILE[:KEPT], headers), piece(KEPT, FILE[KEPT:], headers)) == FILE
    assert asked(server)[1] == (f"bytes={KEPT}-", DATE["Last-Modified"])


def test_the_rest_may_break_off_too(fetch: Fetch) -> None:
    """A third connection fetches what the second one did not finish."""
    broken = piece(KEPT, FILE[KEPT : 2 * KEPT], last=TOTAL - 1, length=TOTAL - KEPT)
    assert fetch(cut(FILE[:KEPT]), broken, piece(2 * KEPT, FILE[2 * KEPT :])) == FILE


def test_the_rest_may_come_in_smaller_pieces(fetch: Fetch) -> None:
    """A server may send less than was asked for; the next request asks for what is missing."""
    assert fetch(cut(FILE[:KEPT]), piece(KEPT, FILE[KEPT : 2 * KEPT]), piece(2 * KEPT, FILE[2 * KEPT :])) == FILE


def test_a_416_can_show_that_the_file_was_complete(fetch: Fetch) -> None:
    """A 416 whose total equals the saved size completes a file of unknown length."""
    start = unended(FILE[:KEPT], b'ETag: "one"\r\n')
    assert fetch(start, answer(416, b"", {"Content-Range": f"bytes */{KEPT}"})) == FILE[:KEPT]


def test_the_rest_is_asked_for_again_after_no_answer(server: RawServer, fetch: Fetch) -> None:
    """A connection without an answer is followed by the same request."""
    assert fetch(cut(FILE[:KEPT]), b"", piece(KEPT, FILE[KEPT:])) == FILE
    assert asked(server)[1:] == [(f"bytes={KEPT}-", '"one"')] * 2


def test_a_silent_connection_is_replaced(server: RawServer, tmp_path: Path) -> None:
    """A silent connection is given up after `longest_silence`, and another one fetches the rest."""
    over, silent = threading.Event(), list[bool]()

    def script(connection: socket.socket) -> None:
        if len(server.requests) == 1:
            connection.sendall(cut(FILE[:KEPT]))
            server.stopped.wait(5)
            over.set()
        else:
            silent.append(not over.is_set())
            connection.sendall(piece(KEPT, FILE[KEPT:]))

    server.script = script
    until = time.monotonic() + 60
    fetch_whole(server.url, tmp_path / "file", largest=TOTAL, until=until, longest_silence=0.1)
    assert (tmp_path / "file").read_bytes() == FILE
    assert silent == [True]


def test_a_whole_file_in_answer_to_a_range_is_used(fetch: Fetch) -> None:
    """A server that ignores the range and sends the whole file is understood."""
    assert fetch(cut(FILE[:KEPT]), answer(200, FILE)) == FILE


def test_a_changed_file_is_fetched_from_its_start(fetch: Fetch) -> None:
    """A file that changed between two connections is fetched whole in its new version."""
    changed = FILE[::-1]
    assert (
        fetch(
            cut(FILE[:KEPT]),
            answer(200, changed[:KEPT], {"Content-Length": str(TOTAL), "ETag": '"two"'}),
            piece(KEPT, changed[KEPT:], {"ETag": '"two"'}),
        )
        == changed
    )


@pytest.mark.parametrize(
    "wrong",
    [
        piece(KEPT, FILE[KEPT:], {"ETag": '"two"'}),
        piece(KEPT - 1, FILE[KEPT - 1 :]),
        piece(0, FILE),
        piece(KEPT, FILE[KEPT:], total=TOTAL + 1),
        piece(KEPT, FILE[KEPT:] + b"more", last=TOTAL - 1),
        piece(KEPT, FILE[KEPT:] + b"more"),
        piece(KEPT, gzip.compress(b"sound"), {**ETAG, "Content-Encoding": "gzip"}, last=TOTAL - 1),
        answer(206, FILE[KEPT:], ETAG),
        answer(206, FILE[KEPT:], {**ETAG, "Content-Range": f"bytes {KEPT}-{TOTAL - 1}/*"}),
        answer(206, FILE[KEPT:], {**ETAG, "Content-Range": f"bytes {KEPT}-{'9' * 5000}/1"}),
        answer(206, FILE[KEPT:], {**ETAG, "Content-Range": "sound"}),
        answer(416, b"", {"Content-Range": "bytes */50"}),
        answer(416),
    ],
    ids=[
        "another version",
        "an earlier piece",
        "all of it as a piece",
        "a file that grew",
        "more than it says",
        "more than there is",
        "another encoding",
        "no range",
        "no total",
        "a huge number",
        "no number",
        "a file that shrank",
        "out of range",
    ],
)
def test_a_piece_that_does_not_fit_starts_the_file_again(server: RawServer, fetch: Fetch, wrong: bytes) -> None:
    """A piece that cannot belong to the saved part is dropped, and the whole file is fetched."""
    assert fetch(cut(FILE[:KEPT]), wrong, answer(200, FILE, ETAG)) == FILE
    assert [given for given, _ in asked(server)] == [None, f"bytes={KEPT}-", None]


def test_a_file_without_version_and_length_is_fetched_whole(server: RawServer, fetch: Fetch) -> None:
    """Without a version and a length, a changed file could not be noticed, so no range is asked for."""
    start = unended(FILE[:KEPT])
    assert fetch(start, answer(200, FILE)) == FILE
    assert asked(server)[1] == (None, None)


def test_an_encoded_file_is_fetched_whole(server: RawServer, fetch: Fetch) -> None:
    """Bytes that were sent encoded cannot be counted, so no range is asked for."""
    packed = cut(b"", {**ETAG, "Content-Encoding": "gzip"})
    assert fetch(packed, answer(200, FILE)) == FILE
    assert [request.headers["accept-encoding"] for request in server.requests] == ["identity"] * 2
    assert asked(server)[1] == (None, None)


def test_the_number_of_connections_is_limited(server: RawServer, fetch: Fetch) -> None:
    """After `MOST_CONNECTIONS` broken connections the download fails."""
    assert raised(fetch, cut(FILE[:KEPT]), b"").kind is FailureKind.UPSTREAM
    assert len(server.requests) == MOST_CONNECTIONS


def test_pieces_that_never_fit_end_the_download(server: RawServer, fetch: Fetch) -> None:
    """Pieces that never fit use up the connections, and the failure says so."""
    error = raised(fetch, *[cut(FILE[:KEPT]), piece(KEPT - 1, FILE[KEPT - 1 :])] * MOST_CONNECTIONS)
    assert "do not fit" in error.message
    assert len(server.requests) == MOST_CONNECTIONS


def test_pieces_of_one_byte_end_the_download(server: RawServer, fetch: Fetch) -> None:
    """Pieces of one byte use up the connections too."""
    drops = [piece(n, FILE[n : n + 1]) for n in range(KEPT, KEPT + 50)]
    assert raised(fetch, cut(FILE[:KEPT]), *drops).kind is FailureKind.UPSTREAM
    assert len(server.requests) == MOST_CONNECTIONS


def test_no_connection_is_made_after_the_time_limit(server: RawServer, fetch: Fetch) -> None:
    """After the time limit no second connection is made."""
    assert raised(fetch, cut(FILE[:KEPT]), seconds=0).kind is FailureKind.UPSTREAM
    assert len(server.requests) == 1


def test_a_file_over_the_limit_is_not_resumed(server: RawServer, fetch: Fetch) -> None:
    """A file that is larger than the limit is BAD_OUTPUT, and is not asked for again."""
    error = raised(fetch, cut(FILE[:KEPT], total=2_000_000))
    assert error.kind is FailureKind.BAD_OUTPUT
    assert "1,000,000 bytes" in error.message
    assert len(server.requests) == 1


def test_a_rest_without_an_end_is_bad_output(fetch: Fetch) -> None:
    """A piece without an end is cut at the limit, and is BAD_OUTPUT."""
    endless = b'HTTP/1.1 206 Partial Content\r\nETag: "one"\r\nContent-Range: bytes %d-%d/%d\r\n\r\n'
    error = raised(fetch, cut(FILE[:KEPT]), endless % (KEPT, TOTAL - 1, TOTAL) + bytes(400_000), largest=300_000)
    assert error.kind is FailureKind.BAD_OUTPUT


@pytest.mark.parametrize("status", [403, 404, 302, 503])
def test_another_status_is_returned(fetch: Fetch, status: int) -> None:
    """Another status in answer to a range is returned to the caller."""
    assert fetch(cut(FILE[:KEPT]), answer(status)) == status


@pytest.mark.parametrize("unasked", [piece(0, FILE), answer(416, b"", {"Content-Range": "bytes */0"})])
def test_an_unrequested_piece_is_not_a_file(fetch: Fetch, unasked: bytes) -> None:
    """A 206 or 416 in answer to a request without a range is returned as its status."""
    assert fetch(unasked) in (206, 416)
