"""The shared HTTP client against a server that misbehaves in every way it can."""

import base64
import gzip
import socket
import threading
import time

import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.http_client import LARGEST_REFUSAL, CutOff, exchange, server_of

PATIENCE = 5  # seconds; far more than any test should take, far less than for ever


@pytest.fixture
def call(server, tmp_path):
    def make(url=None, **options):
        defaults = {"headers": {}, "save_to": tmp_path / "answer", "largest": 1_000_000, "timeout": PATIENCE}
        return exchange("POST", url or server.url, **(defaults | options))

    return make


def failure(call, **options):
    with pytest.raises(ProviderError) as caught:
        call(**options)
    return caught.value


def facts(error):
    return error.kind, error.charged


class TestAnAnswer:
    def test_lands_in_a_file(self, server, call):
        server.says(200, b"sound", {"X-Request-Id": "r1"})
        answer = call()
        assert (answer.status, answer.body.read_bytes(), answer.bytes) == (200, b"sound", 5)
        assert answer.headers["x-request-id"] == "r1"

    def test_is_unpacked_and_counted_as_unpacked(self, server, call):
        server.says(200, gzip.compress(b"sound"), {"Content-Encoding": "gzip"})
        assert call().body.read_bytes() == b"sound"

    def test_may_be_a_refusal_of_which_only_the_start_is_kept(self, server, call):
        server.says(500, b"x" * (LARGEST_REFUSAL + 50_000))
        answer = call(largest=10)
        assert (answer.status, answer.bytes) == (500, LARGEST_REFUSAL)

    def test_may_be_a_refusal_whose_body_breaks_off(self, server, call):
        server.says(429, b"slow down", {"Content-Length": "1000"})
        assert call().status == 429

    def test_that_drips_a_refusal_still_tells_its_status(self, server, call):
        server.drips(b"HTTP/1.1 503 Busy\r\n\r\n", b"x")
        assert call(timeout=0.2).status == 503

    def test_without_a_length_ends_with_the_connection(self, server, call):
        server.script = lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nsound")
        assert call().body.read_bytes() == b"sound"

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_that_redirects_is_not_followed(self, server, call, status):
        server.says(status, headers={"Location": server.url + "/elsewhere"})
        assert call(headers={"Authorization": "Bearer t"}).status == status
        assert len(server.requests) == 1


class TestARequest:
    def test_carries_json_of_exactly_that_type(self, server, call):
        server.says(200)
        call(json={"inputs": "a \ud800 fugue"})
        assert server.requests[0].headers["content-type"] == "application/json"
        assert server.requests[0].json == {"inputs": "a \ud800 fugue"}

    def test_has_no_headers_but_its_own(self, server, call):
        server.says(200)
        call(headers={"Accept": "image/png", "Authorization": "Bearer t"})
        call(headers={"Accept": "image/png"})
        assert server.requests[0].headers["authorization"] == "Bearer t"
        assert server.requests[0].headers["accept"] == "image/png"
        assert "authorization" not in server.requests[1].headers

    def test_keeps_its_token_though_a_netrc_names_the_host(self, server, call, tmp_path, monkeypatch):
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login someone password else\n")
        monkeypatch.setenv("NETRC", str(netrc))
        server.says(200)
        call(headers={"Authorization": "Bearer t"})
        call()
        assert server.requests[0].headers["authorization"] == "Bearer t"
        assert "authorization" not in server.requests[1].headers

    def test_goes_past_no_proxy(self, server, call, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        server.says(200)
        assert call().status == 200

    def test_carries_no_cookie_of_an_earlier_answer(self, server, call):
        server.says(200, headers={"Set-Cookie": "a=b"})
        call()
        call()
        assert "cookie" not in server.requests[1].headers


class TestNothingWasSent:
    UNREACHABLE = (FailureKind.UNREACHABLE, Charged.NO)

    def test_when_the_name_does_not_resolve(self, call, monkeypatch):
        def refuse(*_args, **_options):
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        error = failure(call, url="https://api-inference.huggingface.co/models/x")
        assert facts(error) == self.UNREACHABLE
        assert "api-inference.huggingface.co could not be reached: its name does not resolve" in error.message

    def test_when_the_connection_is_refused(self, call):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        error = failure(call, url=f"http://127.0.0.1:{port}/")
        assert facts(error) == self.UNREACHABLE
        assert "the connection was refused" in error.message

    def test_when_nobody_takes_the_connection(self, call):
        with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
            address = listener.getsockname()
            fillers = [socket.socket() for _ in range(4)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(address)
            error = failure(call, url=f"http://127.0.0.1:{address[1]}/", timeout=0.3)
            for filler in fillers:
                filler.close()
        assert facts(error) == self.UNREACHABLE
        assert "did not accept the connection in time" in error.message

    def test_when_the_server_speaks_no_tls(self, server, call):
        server.reads = False
        server.script = lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        error = failure(call, url=f"https://127.0.0.1:{server.port}/")
        assert facts(error) == self.UNREACHABLE
        assert "TLS" in error.message

    def test_when_the_handshake_drips_for_ever(self, server, call):
        server.reads = False
        server.drips(b"\x16\x03\x03\x40\x00", b"\x02")
        begun = time.monotonic()
        error = failure(call, url=f"https://127.0.0.1:{server.port}/", timeout=0.3)
        assert facts(error) == self.UNREACHABLE
        assert time.monotonic() - begun < PATIENCE

    @pytest.mark.parametrize(
        "url",
        [
            "http://huggingface.co/",
            "http://169.254.169.254/latest/meta-data",
            "http://127.0.0.1.example.com/",
            "http://localhost.example.com/",
            "ftp://127.0.0.1/",
            "https://someone:else@example.com/",
            "http://127.0.0.1:80@example.com/",
            "https:///models",
            "models/x",
            "http://[::1",
            "",
        ],
    )
    def test_when_the_address_is_neither_https_nor_this_machine(self, call, url):
        error = failure(call, url=url or "no address")
        assert facts(error) == (FailureKind.NOT_SERVED, Charged.NO)
        assert "else" not in error.message


class TestSomethingWasSent:
    TIMEOUT = (FailureKind.TIMEOUT, Charged.UNKNOWN)
    BROKEN = (FailureKind.UPSTREAM, Charged.UNKNOWN)

    def test_and_nothing_came_back(self, server, call):
        server.script = lambda _: server.stopped.wait()
        assert facts(failure(call, timeout=0.2)) == self.TIMEOUT

    @pytest.mark.parametrize(
        ("start", "drop"),
        [
            (b"H", b""),
            (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
            (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", b"x"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
            (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        ],
        ids=["silence", "headers", "interim answers", "body", "chunks", "body without a length"],
    )
    def test_and_the_answer_drips_for_ever(self, server, call, start, drop):
        server.drips(start, drop)
        begun = time.monotonic()
        error = failure(call, timeout=0.3)
        assert facts(error) == self.TIMEOUT
        assert "may have run and been billed" in error.message
        assert time.monotonic() - begun < PATIENCE

    def test_and_the_time_limit_holds_outside_the_main_thread(self, server, call):
        server.drips(b"HTTP/1.1 200 OK\r\n\r\n", b"x")
        errors = []
        thread = threading.Thread(target=lambda: errors.append(failure(call, timeout=0.2)))
        thread.start()
        thread.join(PATIENCE)
        assert [facts(error) for error in errors] == [self.TIMEOUT]

    @pytest.mark.parametrize(
        "start",
        [
            b"",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nha",
            b"garbage\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhalf",
        ],
        ids=["at once", "in the body", "in a chunk", "no http", "no gzip"],
    )
    def test_and_the_connection_broke(self, server, call, start):
        server.script = lambda connection: connection.sendall(start)
        error = failure(call)
        assert error.kind is FailureKind.UPSTREAM
        assert facts(error) == self.BROKEN
        assert "broke after the request was sent" in error.message

    def test_and_what_had_come_of_it_is_told(self, server, call):
        server.says(200, b"x" * 70_000, {"Content-Length": "100000", "ETag": '"one"'})
        error = failure(call)
        assert isinstance(error, CutOff)
        assert (error.answer.status, error.answer.headers["etag"], error.answer.bytes) == (200, '"one"', 65_536)
        assert error.answer.body.stat().st_size == 65_536

    def test_and_nothing_had_come_of_it(self, server, call):
        server.script = lambda _: None
        assert not isinstance(failure(call), CutOff)

    def test_and_the_server_fell_silent(self, server, call):
        server.script = lambda _: server.stopped.wait(PATIENCE)
        error = failure(call, longest_silence=0.1, timeout=3600)
        assert facts(error) == self.TIMEOUT
        assert "within 0.1 s" in error.message

    def test_and_the_connection_was_reset(self, server, call):
        def reset(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
            linger_for_no_time = b"\x01\x00\x00\x00\x00\x00\x00\x00"
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_for_no_time)

        server.script = reset
        assert facts(failure(call)) == self.BROKEN

    def test_and_more_came_than_is_taken(self, server, call):
        server.says(200, b"x" * 200_001)
        error = failure(call, largest=200_000)
        assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)
        assert "more than 200,000 bytes" in error.message

    def test_and_a_small_answer_unpacks_to_a_bomb(self, server, call):
        server.says(200, gzip.compress(bytes(30_000_000)), {"Content-Encoding": "gzip"})
        assert failure(call, largest=1_000_000).kind is FailureKind.BAD_OUTPUT


def test_no_timer_outlives_its_call(server, call):
    server.says(200)
    call(timeout=3600)
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


def test_a_token_is_in_no_error_and_in_none_of_its_causes(server, call):
    server.script = lambda _: None
    error = failure(call, headers={"Authorization": "Bearer hf_secret"})
    encoded = base64.b64encode(b"hf_secret").decode()
    while error:
        assert "hf_secret" not in repr(error)
        assert encoded not in repr(error)
        error = error.__cause__


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://router.huggingface.co/hf-inference/models/x", "router.huggingface.co"),
        ("https://Router.HuggingFace.co", "router.huggingface.co"),
        ("https://huggingface.co:8443/x", "huggingface.co:8443"),
        ("http://127.0.0.1:5000/", "127.0.0.1:5000"),
        ("http://localhost:5000/", "localhost:5000"),
        ("http://[::1]:5000/", "[::1]:5000"),
        (r"https://evil.example\@huggingface.co/", "evil.example"),
        ("https://evil.example#@huggingface.co/", "evil.example"),
        ("https://evil.example?.huggingface.co", "evil.example"),
    ],
)
def test_the_server_is_the_host_that_a_connection_would_go_to(url, host):
    assert server_of(url) == host
