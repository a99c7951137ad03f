"""Downloads of result files: which hosts they come from, and how a broken one is resumed."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.media.files import MediaFile
from longplay.providers.downloads import fetch_results
from longplay.providers.protocol import PollError
from longplay.providers.resumption import MOST_CONNECTIONS

from local.stand_ins.replicate import ReplicateServer
from tests.harness.media import whole_files
from tests.providers.failures import facts, poll_failure, raised
from tests.providers.raw_server import RawServer
from tests.providers.replicate.calls import MUSICGEN, call

KEPT = 65_536  # bytes that are saved at a time, and so the part left after a cut

Fetch = Callable[..., tuple[MediaFile, ...]]
Delivery = tuple[ReplicateServer, bytes, str]


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The host names that were looked up; none of them resolves."""
    names: list[str] = []

    def look_up(host: str, *_args: object, **_options: object) -> None:
        names.append(host)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


@pytest.fixture
def fetch(tmp_path: Path) -> Fetch:
    """Fetches these files for a call to `server`."""

    def make(*urls: str, server: str = "https://api.replicate.com") -> tuple[MediaFile, ...]:
        asked = call("music", server, tmp_path)
        return fetch_results(urls, asked, domains=("replicate.delivery",), until=time.monotonic() + 5)

    return make


@pytest.mark.parametrize(
    "url",
    [
        "https://replicate.delivery/xezq/out-0.wav",
        "https://pbxt.replicate.delivery/out-0.wav",
        "https://PBXT.Replicate.Delivery:443/out-0.wav",
        "https://api.replicate.com/v1/files/out-0.wav",
    ],
)
def test_a_file_on_the_providers_hosts_is_fetched(fetch: Fetch, looked_up: list[str], url: str) -> None:
    """A file on a host of the provider, or on the server that was called, is asked for."""
    error = poll_failure(fetch, url)
    assert error.kind is FailureKind.UNREACHABLE
    assert len(looked_up) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/out-0.wav",
        "https://evilreplicate.delivery/out-0.wav",
        "https://replicate.delivery.elsewhere.example/out-0.wav",
        "https://elsewhere.example/replicate.delivery",
        "https://elsewhere.example#.replicate.delivery",
        r"https://elsewhere.example\.replicate.delivery",
        "https://replicate.delivery@elsewhere.example/out-0.wav",
        "https://someone:word@replicate.delivery/out-0.wav",
        "http://replicate.delivery/out-0.wav",
        "http://127.0.0.1/out-0.wav",
        "http://localhost/out-0.wav",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/out-0.wav",
        "file:///etc/passwd",
        "data:audio/wav;base64,UklGRg==",
        "",
    ],
)
def test_a_file_on_another_host_is_not_fetched(fetch: Fetch, looked_up: list[str], url: str) -> None:
    """A file on any other host is BAD_OUTPUT, and no name is looked up for any file."""
    error = raised(fetch, "https://replicate.delivery/out-0.wav", url)
    assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)
    assert looked_up == []


def test_another_port_is_another_server(fetch: Fetch) -> None:
    """A file at another port of the called server's host is not fetched."""
    with pytest.raises(ProviderError, match="its own hosts"):
        fetch("http://127.0.0.1:2/out-0.wav", server="http://127.0.0.1:1")


@pytest.fixture
def delivery() -> Iterator[Delivery]:
    """Replicate's stand-in, a track of 4 s that lies there, and its address."""
    with ReplicateServer() as replicate:
        replicate.create("meta/musicgen", MUSICGEN.partition(":")[2], {"input": {"prompt": "slow jazz", "duration": 4}})
        [prediction] = replicate.predictions
        [file] = prediction.files
        yield replicate, file.content, f"{replicate.url}/delivery/{prediction.id}/{file.name}"


def test_a_file_is_whole_after_two_cuts(fetch: Fetch, delivery: Delivery) -> None:
    """A file whose connection breaks twice is fetched in three pieces and is the same."""
    replicate, content, url = delivery
    replicate.fault("cut", after=KEPT, times=2)
    [media] = fetch(url, server=replicate.url)
    assert media.path.read_bytes() == content
    assert (media.content_type, media.sha256) == ("audio/wav", hashlib.sha256(content).hexdigest())
    ranges = [request.headers.get("range") for request in replicate.requests]
    assert ranges == [None, f"bytes={KEPT}-", f"bytes={2 * KEPT}-"]


def test_a_download_carries_no_token(fetch: Fetch, delivery: Delivery) -> None:
    """No request for a file carries the token, resumed ones included."""
    replicate, _, url = delivery
    replicate.fault("cut", after=KEPT, times=2)
    fetch(url, server=replicate.url)
    assert not any("authorization" in request.headers for request in replicate.requests)


def test_a_file_that_keeps_breaking_is_left_for_the_next_poll(fetch: Fetch, delivery: Delivery) -> None:
    """A file that breaks on every connection is a PollError, so the next poll fetches it."""
    replicate, _, url = delivery
    replicate.fault("cut", times=None)
    with pytest.raises(PollError):
        fetch(url, server=replicate.url)
    assert len(replicate.requests) == MOST_CONNECTIONS


@pytest.mark.parametrize(("headers", "left_for_a_poll"), [("", True), ("Content-Length: {}\r\n", False)])
def test_half_a_file_is_final_only_if_its_length_says_so(
    fetch: Fetch, server: RawServer, headers: str, left_for_a_poll: bool
) -> None:
    """Without a length it may have broken off on the way, and is still there; it is paid for."""
    half = whole_files()["music wav"][:50_000]
    head = f"HTTP/1.0 200 OK\r\n{headers.format(len(half))}\r\n".encode()
    server.script = lambda connection: connection.sendall(head + half)
    url = f"http://127.0.0.1:{server.port}"
    if left_for_a_poll:
        assert "came without a length" in poll_failure(fetch, f"{url}/out-0.wav", server=url).message
    else:
        error = raised(fetch, f"{url}/out-0.wav", server=url)
        assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)
