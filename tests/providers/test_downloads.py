"""Result files: fetched from the provider's own hosts, by name and not by look, and whole though it breaks off."""

import hashlib
import socket
import time

import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.downloads import fetch_results
from longplay.providers.protocol import PollError
from longplay.providers.resumption import MOST_CONNECTIONS

from local.stand_ins.replicate import ReplicateServer
from tests.providers.replicate_calls import MUSICGEN, call

KEPT = 65_536  # bytes: what is saved at a time, and so left of a connection that breaks right after


@pytest.fixture
def looked_up(monkeypatch):
    """The names that were looked up; none of them resolves."""
    names = []

    def look_up(host, *_args, **_options):
        names.append(host)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


@pytest.fixture
def fetch(tmp_path):
    def make(*urls, server="https://api.replicate.com"):
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
def test_a_file_on_the_providers_own_hosts_is_fetched(fetch, looked_up, url):
    with pytest.raises(PollError) as caught:
        fetch(url)
    assert caught.value.error.kind is FailureKind.UNREACHABLE
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
def test_a_file_anywhere_else_is_not(fetch, looked_up, url):
    with pytest.raises(ProviderError) as caught:
        fetch("https://replicate.delivery/out-0.wav", url)
    assert (caught.value.kind, caught.value.charged) == (FailureKind.BAD_OUTPUT, Charged.YES)
    assert looked_up == []


def test_a_file_at_another_port_of_this_machine_is_not_the_servers_own(fetch):
    with pytest.raises(ProviderError, match="not one of its own hosts"):
        fetch("http://127.0.0.1:2/out-0.wav", server="http://127.0.0.1:1")


@pytest.fixture
def delivery():
    """A track of 4 s at Replicate's stand-in, and where it lies."""
    with ReplicateServer() as replicate:
        replicate.create("meta/musicgen", MUSICGEN.partition(":")[2], {"input": {"prompt": "slow jazz", "duration": 4}})
        [prediction] = replicate.predictions
        [file] = prediction.files
        yield replicate, file.content, f"{replicate.url}/delivery/{prediction.id}/{file.name}"


def test_a_file_is_whole_after_two_cuts_in_one_step(fetch, delivery):
    replicate, content, url = delivery
    replicate.fault("cut", after=KEPT, times=2)
    [media] = fetch(url, server=replicate.url)
    assert media.path.read_bytes() == content
    assert (media.content_type, media.sha256) == ("audio/wav", hashlib.sha256(content).hexdigest())
    ranges = [request.headers.get("range") for request in replicate.requests]
    assert ranges == [None, f"bytes={KEPT}-", f"bytes={2 * KEPT}-"]


def test_a_file_is_asked_for_without_a_token_however_often(fetch, delivery):
    replicate, _, url = delivery
    replicate.fault("cut", after=KEPT, times=2)
    fetch(url, server=replicate.url)
    assert not any("authorization" in request.headers for request in replicate.requests)


def test_a_file_that_keeps_breaking_off_is_left_for_the_next_step(fetch, delivery):
    replicate, _, url = delivery
    replicate.fault("cut", times=None)
    with pytest.raises(PollError):
        fetch(url, server=replicate.url)
    assert len(replicate.requests) == MOST_CONNECTIONS
