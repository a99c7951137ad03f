"""A file whose connections break, from a server that may not mean well: byte by byte the same, or not at all."""

import gzip
import threading
import time

import pytest
from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.resumption import MOST_CONNECTIONS, fetch_whole

from tests.providers.conftest import answer

KEPT = 65_536  # bytes: what is saved at a time, and so left of a connection that breaks right after
FILE = bytes(range(251)) * 1_000
TOTAL = len(FILE)
ETAG = {"ETag": '"one"'}
DATE = {"Last-Modified": "Sat, 21 Nov 2026 08:00:00 GMT"}


def cut(body, headers=ETAG, *, total=TOTAL):
    """As much of the whole file, before the connection breaks."""
    return answer(200, body, {**headers, "Content-Length": str(total)})


def unended(body, headers=b""):
    """An answer of unknown length that breaks after this."""
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + headers
    return start + b"\r\n%x\r\n" % len(body) + body + b"\r\n"


def piece(first, body, headers=ETAG, *, total=TOTAL, last=None, length=None):
    """A 206 of these bytes."""
    last = first + len(body) - 1 if last is None else last
    length = {} if length is None else {"Content-Length": str(length)}
    return answer(206, body, {**headers, "Content-Range": f"bytes {first}-{last}/{total}", **length})


@pytest.fixture
def fetch(server, tmp_path):
    """Fetches from a server that gives these answers one by one, and the last one for ever."""

    def make(*answers, largest=1_000_000, seconds=5.0, **options):
        left = [*answers]
        server.script = lambda connection: connection.sendall(left.pop(0) if len(left) > 1 else left[0])
        path, until = tmp_path / "output-0", time.monotonic() + seconds
        got = fetch_whole(server.url, path, largest=largest, until=until, **options)
        return path.read_bytes() if got.status == 200 else got.status

    return make


def asked(server):
    return [(request.headers.get("range"), request.headers.get("if-range")) for request in server.requests]


class TestWhatIsLeft:
    @pytest.mark.parametrize(
        ("headers", "version"), [(ETAG, '"one"'), (DATE, DATE["Last-Modified"]), (ETAG | DATE, '"one"'), ({}, None)]
    )
    def test_is_asked_for_of_the_same_version(self, server, fetch, headers, version):
        assert fetch(cut(FILE[:KEPT], headers), piece(KEPT, FILE[KEPT:], headers)) == FILE
        assert asked(server) == [(None, None), (f"bytes={KEPT}-", version)]

    def test_is_asked_for_by_date_where_the_etag_is_weak(self, server, fetch):
        headers = {"ETag": 'W/"one"', **DATE}
        assert fetch(cut(FILE[:KEPT], headers), piece(KEPT, FILE[KEPT:], headers)) == FILE
        assert asked(server)[1] == (f"bytes={KEPT}-", DATE["Last-Modified"])

    def test_may_break_off_itself(self, fetch):
        broken = piece(KEPT, FILE[KEPT : 2 * KEPT], last=TOTAL - 1, length=TOTAL - KEPT)
        assert fetch(cut(FILE[:KEPT]), broken, piece(2 * KEPT, FILE[2 * KEPT :])) == FILE

    def test_may_come_in_smaller_pieces_than_were_asked_for(self, fetch):
        assert fetch(cut(FILE[:KEPT]), piece(KEPT, FILE[KEPT : 2 * KEPT]), piece(2 * KEPT, FILE[2 * KEPT :])) == FILE

    def test_may_be_nothing_but_the_news_that_this_was_all(self, fetch):
        start = unended(FILE[:KEPT], b'ETag: "one"\r\n')
        assert fetch(start, answer(416, b"", {"Content-Range": f"bytes */{KEPT}"})) == FILE[:KEPT]

    def test_is_asked_for_again_after_no_answer_at_all(self, server, fetch):
        assert fetch(cut(FILE[:KEPT]), b"", piece(KEPT, FILE[KEPT:])) == FILE
        assert asked(server)[1:] == [(f"bytes={KEPT}-", '"one"')] * 2

    def test_is_asked_for_while_the_server_is_silent(self, server, tmp_path):
        over, silent = threading.Event(), []

        def script(connection):
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


class TestTheWholeFileIsFetchedAnew:
    def test_where_the_server_answers_a_range_with_all_of_it(self, fetch):
        assert fetch(cut(FILE[:KEPT]), answer(200, FILE)) == FILE

    def test_where_it_has_changed(self, fetch):
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
    def test_where_a_piece_does_not_fit(self, server, fetch, wrong):
        assert fetch(cut(FILE[:KEPT]), wrong, answer(200, FILE, ETAG)) == FILE
        assert [given for given, _ in asked(server)] == [None, f"bytes={KEPT}-", None]

    def test_where_nothing_would_tell_that_it_has_changed(self, server, fetch):
        start = unended(FILE[:KEPT])
        assert fetch(start, answer(200, FILE)) == FILE
        assert asked(server)[1] == (None, None)

    def test_where_its_bytes_were_sent_in_another_encoding(self, server, fetch):
        packed = cut(b"", {**ETAG, "Content-Encoding": "gzip"})
        assert fetch(packed, answer(200, FILE)) == FILE
        assert [request.headers["accept-encoding"] for request in server.requests] == ["identity"] * 2
        assert asked(server)[1] == (None, None)


class TestItIsGivenUp:
    def failure(self, fetch, *answers, **options):
        with pytest.raises(ProviderError) as caught:
            fetch(*answers, **options)
        return caught.value

    def test_after_so_many_connections(self, server, fetch):
        assert self.failure(fetch, cut(FILE[:KEPT]), b"").kind is FailureKind.UPSTREAM
        assert len(server.requests) == MOST_CONNECTIONS

    def test_where_the_pieces_never_fit(self, server, fetch):
        error = self.failure(fetch, *[cut(FILE[:KEPT]), piece(KEPT - 1, FILE[KEPT - 1 :])] * MOST_CONNECTIONS)
        assert "do not fit together" in error.message
        assert len(server.requests) == MOST_CONNECTIONS

    def test_where_pieces_come_byte_by_byte(self, server, fetch):
        drops = [piece(n, FILE[n : n + 1]) for n in range(KEPT, KEPT + 50)]
        assert self.failure(fetch, cut(FILE[:KEPT]), *drops).kind is FailureKind.UPSTREAM
        assert len(server.requests) == MOST_CONNECTIONS

    def test_when_time_is_up(self, server, fetch):
        assert self.failure(fetch, cut(FILE[:KEPT]), seconds=0).kind is FailureKind.UPSTREAM
        assert len(server.requests) == 1

    def test_where_it_is_larger_than_is_taken(self, server, fetch):
        error = self.failure(fetch, cut(FILE[:KEPT], total=2_000_000))
        assert error.kind is FailureKind.BAD_OUTPUT
        assert "more than 1,000,000 bytes" in error.message
        assert len(server.requests) == 1

    def test_where_the_rest_of_it_has_no_end(self, fetch):
        endless = b'HTTP/1.1 206 Partial Content\r\nETag: "one"\r\nContent-Range: bytes %d-%d/%d\r\n\r\n'
        error = self.failure(
            fetch, cut(FILE[:KEPT]), endless % (KEPT, TOTAL - 1, TOTAL) + bytes(400_000), largest=300_000
        )
        assert error.kind is FailureKind.BAD_OUTPUT

    @pytest.mark.parametrize("status", [403, 404, 302, 503])
    def test_where_the_server_says_something_else(self, fetch, status):
        assert fetch(cut(FILE[:KEPT]), answer(status)) == status

    @pytest.mark.parametrize("unasked", [piece(0, FILE), answer(416, b"", {"Content-Range": "bytes */0"})])
    def test_where_a_range_is_answered_that_nobody_asked_for(self, fetch, unasked):
        assert fetch(unasked) in (206, 416)
