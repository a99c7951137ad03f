"""The shared HTTP client, calling a server that misbehaves in every way it can."""

from __future__ import annotations

import base64
import gzip
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.http_client import LARGEST_REFUSAL, Answer, CutOff, exchange, server_of

from tests.providers.failures import facts, raised
from tests.providers.raw_server import RawServer, answer

LONGEST_TEST = 5  # seconds; far more than any test should take
UNREACHABLE = (FailureKind.UNREACHABLE, Charged.NO)
TIMEOUT = (FailureKind.TIMEOUT, Charged.UNKNOWN)
BROKEN = (FailureKind.UPSTREAM, Charged.UNKNOWN)

Exchange = Callable[..., Answer]


@pytest.fixture
def call(server: RawServer, tmp_path: Path) -> Exchange:
    """Makes a POST call to the server, with options of the client."""

    def make(url: str | None = None, **options: Any) -> Answer:
        defaults: dict[str, Any] = {
            "headers": {},
            "save_to": tmp_path / "answer",
            "largest": 1_000_000,
            "timeout": LONGEST_TEST,
        }
        return exchange("POST", url or server.url, **(defaults | options))

    return make


def test_an_answer_is_saved_to_a_file(server: RawServer, call: Exchange) -> None:
    """The body is saved to a file, and its size and headers are reported."""
    server.says(200, b"sound", {"X-Request-Id": "r1"})
    answer = call()
    assert (answer.status, answer.body.read_bytes(), answer.bytes) == (200, b"sound", 5)
    assert answer.headers["x-request-id"] == "r1"


@pytest.mark.parametrize("first", ["100 Continue", "102 Processing", "103 Early Hints"])
def test_an_answer_before_the_answer_is_skipped(server: RawServer, call: Exchange, first: str) -> None:
    """Informational answers may come once or several times; the last answer counts."""
    early = f"HTTP/1.1 {first}\r\nLink: </style.css>\r\n\r\n".encode()
    server.script = lambda connection: connection.sendall(early * 3 + answer(200, b"sound", {"X-Request-Id": "r1"}))
    found = call()
    assert (found.status, found.body.read_bytes(), found.headers["x-request-id"]) == (200, b"sound", "r1")


def test_a_server_that_never_comes_to_its_answer_is_stopped(server: RawServer, call: Exchange) -> None:
    """It announces without end that it is processing."""
    server.drips(b"", b"HTTP/1.1 102 Processing\r\n\r\n")
    assert facts(raised(call, timeout=0.3)) == TIMEOUT


def test_a_gzip_answer_is_decompressed(server: RawServer, call: Exchange) -> None:
    """A gzip body is saved decompressed, and its size is the size after decompression."""
    server.says(200, gzip.compress(b"sound"), {"Content-Encoding": "gzip"})
    assert call().body.read_bytes() == b"sound"


def test_only_the_start_of_a_refusal_is_kept(server: RawServer, call: Exchange) -> None:
    """A refusal is cut at its own limit, not at the caller's limit for results."""
    server.says(500, b"x" * (LARGEST_REFUSAL + 50_000))
    answer = call(largest=10)
    assert (answer.status, answer.bytes) == (500, LARGEST_REFUSAL)


def test_a_refusal_cut_in_its_body_keeps_its_status(server: RawServer, call: Exchange) -> None:
    """A refusal is returned although its connection breaks within the body."""
    server.says(429, b"slow down", {"Content-Length": "1000"})
    assert call().status == 429


def test_a_refusal_that_drips_keeps_its_status(server: RawServer, call: Exchange) -> None:
    """A refusal is returned although its body arrives too slowly to finish in time."""
    server.drips(b"HTTP/1.1 503 Busy\r\n\r\n", b"x")
    assert call(timeout=0.2).status == 503


def test_an_answer_without_a_length_ends_with_the_connection(server: RawServer, call: Exchange) -> None:
    """A body without Content-Length is complete when the server closes the connection."""
    server.script = lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\nsound")
    assert call().body.read_bytes() == b"sound"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: RawServer, call: Exchange, status: int) -> None:
    """A redirect is returned as it is, and no second request is made."""
    server.says(status, headers={"Location": server.url + "/elsewhere"})
    assert call(headers={"Authorization": "Bearer t"}).status == status
    assert len(server.requests) == 1


@pytest.mark.parametrize("place", ["http://[", "http://a:b:c/", "\xff\xfe", ""])
def test_a_redirect_to_what_is_no_address_is_an_answer_too(server: RawServer, call: Exchange, place: str) -> None:
    """It is not parsed, so it can do no harm."""
    head = f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {place}\r\n\r\n".encode("latin-1")
    server.script = lambda connection: connection.sendall(head)
    assert call().status == 302


def test_a_json_body_has_the_type_application_json(server: RawServer, call: Exchange) -> None:
    """A JSON body arrives unchanged, with the type `application/json`."""
    server.says(200)
    call(json={"inputs": "a \ud800 fugue"})
    assert server.requests[0].headers["content-type"] == "application/json"
    assert server.requests[0].json == {"inputs": "a \ud800 fugue"}


def test_headers_of_one_call_are_not_in_the_next(server: RawServer, call: Exchange) -> None:
    """A call sends its own headers and none of an earlier call."""
    server.says(200)
    call(headers={"Accept": "image/png", "Authorization": "Bearer t"})
    call(headers={"Accept": "image/png"})
    assert server.requests[0].headers["authorization"] == "Bearer t"
    assert server.requests[0].headers["accept"] == "image/png"
    assert "authorization" not in server.requests[1].headers


def test_a_netrc_file_is_ignored(
    server: RawServer, call: Exchange, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials in a netrc file neither replace a call's token nor add one."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.says(200)
    call(headers={"Authorization": "Bearer t"})
    call()
    assert server.requests[0].headers["authorization"] == "Bearer t"
    assert "authorization" not in server.requests[1].headers


def test_proxy_settings_are_ignored(server: RawServer, call: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call does not use the proxy that the environment names."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    server.says(200)
    assert call().status == 200


def test_cookies_are_not_kept(server: RawServer, call: Exchange) -> None:
    """A cookie that a server sets is not sent with the next call."""
    server.says(200, headers={"Set-Cookie": "a=b"})
    call()
    call()
    assert "cookie" not in server.requests[1].headers


def test_an_unresolved_name_is_unreachable_and_free(call: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host name that does not resolve is UNREACHABLE, and nothing was charged."""

    def refuse(*_args: object, **_options: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    error = raised(call, url="https://api-inference.huggingface.co/models/x")
    assert facts(error) == UNREACHABLE
    assert "api-inference.huggingface.co" in error.message
    assert "resolve" in error.message


def test_a_refused_connection_is_unreachable_and_free(call: Exchange) -> None:
    """A refused connection is UNREACHABLE, and nothing was charged."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = raised(call, url=f"http://127.0.0.1:{port}/")
    assert facts(error) == UNREACHABLE
    assert f"127.0.0.1:{port}" in error.message
    assert "refused" in error.message


def test_a_connection_that_is_not_accepted_is_unreachable_and_free(call: Exchange) -> None:
    """A server that accepts no connection in time is UNREACHABLE, and nothing was charged."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(address)
        error = raised(call, url=f"http://127.0.0.1:{address[1]}/", timeout=0.3)
        for filler in fillers:
            filler.close()
    assert facts(error) == UNREACHABLE
    assert f"127.0.0.1:{address[1]}" in error.message
    assert "in time" in error.message


def test_a_server_without_tls_is_unreachable_and_free(server: RawServer, call: Exchange) -> None:
    """An `https` address at a server without TLS is UNREACHABLE, and nothing was charged."""
    server.reads = False
    server.script = lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    error = raised(call, url=f"https://127.0.0.1:{server.port}/")
    assert facts(error) == UNREACHABLE
    assert "TLS" in error.message


def test_an_endless_handshake_is_unreachable_and_free(server: RawServer, call: Exchange) -> None:
    """A TLS handshake that never ends is stopped at the time limit, and nothing was charged."""
    server.reads = False
    server.drips(b"\x16\x03\x03\x40\x00", b"\x02")
    begun = time.monotonic()
    error = raised(call, url=f"https://127.0.0.1:{server.port}/", timeout=0.3)
    assert facts(error) == UNREACHABLE
    assert time.monotonic() - begun < LONGEST_TEST


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
def test_only_https_or_this_machine_is_called(call: Exchange, url: str) -> None:
    """An address that is neither `https` nor this machine is not called, and its password is not quoted."""
    error = raised(call, url=url or "no address")
    assert facts(error) == (FailureKind.NOT_SERVED, Charged.NO)
    assert "else" not in error.message


def test_no_answer_is_a_timeout_that_may_be_charged(server: RawServer, call: Exchange) -> None:
    """A server that does not answer is a TIMEOUT, and the call may have been charged."""
    server.script = lambda _: server.stopped.wait()
    assert facts(raised(call, timeout=0.2)) == TIMEOUT


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
def test_an_endless_answer_is_stopped_at_the_time_limit(
    server: RawServer, call: Exchange, start: bytes, drop: bytes
) -> None:
    """An answer that never ends, in any of its parts, is stopped at the time limit."""
    server.drips(start, drop)
    begun = time.monotonic()
    error = raised(call, timeout=0.3)
    assert facts(error) == TIMEOUT
    assert "0.3 s" in error.message
    assert "billed" in error.message
    assert time.monotonic() - begun < LONGEST_TEST


def test_the_time_limit_works_in_any_thread(server: RawServer, call: Exchange) -> None:
    """The time limit also stops a call outside the main thread."""
    server.drips(b"HTTP/1.1 200 OK\r\n\r\n", b"x")
    errors: list[ProviderError] = []
    thread = threading.Thread(target=lambda: errors.append(raised(call, timeout=0.2)))
    thread.start()
    thread.join(LONGEST_TEST)
    assert [facts(error) for error in errors] == [TIMEOUT]


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
def test_a_broken_connection_may_be_charged(server: RawServer, call: Exchange, start: bytes) -> None:
    """A connection that breaks after the request was sent is UPSTREAM, and may have been charged."""
    server.script = lambda connection: connection.sendall(start)
    error = raised(call)
    assert facts(error) == BROKEN
    assert f"127.0.0.1:{server.port}" in error.message
    assert "billed" in error.message


def test_a_cut_answer_keeps_the_part_that_arrived(server: RawServer, call: Exchange) -> None:
    """A body that breaks off raises CutOff, with the status, the headers and the part that arrived."""
    server.says(200, b"x" * 70_000, {"Content-Length": "100000", "ETag": '"one"'})
    error = raised(call)
    assert isinstance(error, CutOff)
    assert (error.answer.status, error.answer.headers["etag"], error.answer.bytes) == (200, '"one"', 65_536)
    assert error.answer.body.stat().st_size == 65_536


def test_an_empty_answer_is_not_cut_off(server: RawServer, call: Exchange) -> None:
    """A connection that closes without an answer is no CutOff."""
    server.script = lambda _: None
    assert not isinstance(raised(call), CutOff)


def test_silence_ends_a_call_before_its_time_limit(server: RawServer, call: Exchange) -> None:
    """A server that is silent for `longest_silence` ends the call long before its timeout."""
    server.script = lambda _: server.stopped.wait(LONGEST_TEST)
    error = raised(call, longest_silence=0.1, timeout=3600)
    assert facts(error) == TIMEOUT
    assert "0.1 s" in error.message


def test_a_reset_connection_may_be_charged(server: RawServer, call: Exchange) -> None:
    """A reset within the body is UPSTREAM, and may have been charged."""

    def reset(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
        linger_for_no_time = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_for_no_time)

    server.script = reset
    assert facts(raised(call)) == BROKEN


def test_an_answer_over_the_limit_is_bad_output(server: RawServer, call: Exchange) -> None:
    """A result larger than the limit is BAD_OUTPUT, and was charged."""
    server.says(200, b"x" * 200_001)
    error = raised(call, largest=200_000)
    assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)
    assert "200,000 bytes" in error.message


def test_the_limit_counts_decompressed_bytes(server: RawServer, call: Exchange) -> None:
    """A small gzip body that decompresses past the limit is BAD_OUTPUT."""
    server.says(200, gzip.compress(bytes(30_000_000)), {"Content-Encoding": "gzip"})
    assert raised(call, largest=1_000_000).kind is FailureKind.BAD_OUTPUT


def test_a_call_leaves_no_timer(server: RawServer, call: Exchange) -> None:
    """The timer of the time limit ends with its call."""
    server.says(200)
    call(timeout=3600)
    assert not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]


def test_an_error_does_not_contain_the_token(server: RawServer, call: Exchange) -> None:
    """Neither an error nor any of its causes contains the token, plain or as base64."""
    server.script = lambda _: None
    error: BaseException | None = raised(call, headers={"Authorization": "Bearer hf_secret"})
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
def test_the_server_is_the_host_that_is_connected_to(url: str, host: str) -> None:
    """The server of an address is its host as a connection uses it, not as a reader may take it."""
    assert server_of(url) == host
