"""fal's own Python client works with the stand-in, so the stand-in's answers have the form that fal's have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fal_client
import pytest
import requests
from fal_client import client as fal_client_module

from local.stand_ins.fal import FalServer

TOKEN = "1b2c3d4e-0000-4a5b-8c9d-0123456789ab:0123456789abcdef0123456789abcdef"
AUDIO, VIDEO = "fal-ai/stable-audio", "fal-ai/wan/v2.2-5b/text-to-video"


@pytest.fixture
def server() -> Iterator[FalServer]:
    """A stand-in that requires a token."""
    with FalServer(quick=True, token=TOKEN) as server:
        yield server


@pytest.fixture
def client(server: FalServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[fal_client.SyncClient]:
    """fal's client, which sends its requests to the stand-in."""
    monkeypatch.setattr(fal_client_module, "QUEUE_URL_FORMAT", f"{server.url}/")
    client = fal_client.SyncClient(key=TOKEN)
    yield client
    client._client.close()


def make(client: fal_client.SyncClient, **options: Any) -> fal_client.SyncRequestHandle:
    """A new request for one second of audio."""
    return client.submit(AUDIO, {"prompt": "slow jazz", "seconds_total": 1}, **options)


def completed(handle: fal_client.SyncRequestHandle) -> fal_client.Completed:
    """The status of a request that has ended."""
    status = handle.status()
    assert isinstance(status, fal_client.Completed)
    return status


def test_a_request_is_submitted_polled_and_fetched(client: fal_client.SyncClient, server: FalServer) -> None:
    """The client follows a request to its end, and its result gives the URL of the rendered file."""
    handle = make(client)
    statuses = [type(status) for status in handle.iter_events(interval=0.01)]
    assert statuses == [fal_client.InProgress, fal_client.Completed]
    file = handle.get()["audio_file"]
    assert requests.get(file["url"], timeout=20).content == server.queue[0].files[0].content


def test_a_new_request_is_queued(client: fal_client.SyncClient, server: FalServer) -> None:
    """The client reads the answer to an order as a request at the head of the queue."""
    answer = requests.post(
        f"{server.url}/{AUDIO}", json={"prompt": "x"}, headers={"Authorization": f"Key {TOKEN}"}, timeout=20
    )
    assert client.get_handle(AUDIO, "id")._parse_status(answer.json()) == fal_client.Queued(position=0)


def test_a_request_is_found_by_its_endpoint_and_id(client: fal_client.SyncClient) -> None:
    """The URLs that the client makes of endpoint and id are those that the stand-in gave, and lead to the result."""
    handle = client.submit(VIDEO, {"prompt": "a calm sea"})
    found = client.get_handle(VIDEO, handle.request_id)
    assert (found.status_url, found.response_url, found.cancel_url) == (
        handle.status_url,
        handle.response_url,
        handle.cancel_url,
    )
    assert client.result(VIDEO, handle.request_id)["video"]["url"].endswith(".mp4")


def test_a_request_in_the_queue_can_be_canceled(client: fal_client.SyncClient, server: FalServer) -> None:
    """A request that is canceled before it starts shows who canceled it, and is not billed."""
    handle = make(client)
    handle.cancel()
    assert (completed(handle).error_type, server.generations) == ("client_cancelled", 0)


def test_a_completed_request_cannot_be_canceled(client: fal_client.SyncClient, server: FalServer) -> None:
    """Canceling a completed request raises the client's HTTP error with status 400 and the reason."""
    handle = make(client)
    server.finish(handle.request_id)
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        handle.cancel()
    assert (caught.value.status_code, caught.value.response.json()) == (400, {"status": "ALREADY_COMPLETED"})


def test_a_failed_request_gives_its_reason(client: fal_client.SyncClient, server: FalServer) -> None:
    """The reason of a failure is in the client's error, and in the status of the request."""
    server.fault("refused_prompt")
    handle = make(client)
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        handle.get(interval=0.01)
    assert caught.value.status_code == 422
    assert "flagged by a content checker" in str(caught.value.message)
    assert "flagged by a content checker" in str(completed(handle).error)


def test_a_lost_runner_has_its_error_type(client: fal_client.SyncClient, server: FalServer) -> None:
    """A lost runner is a 503 of the type `runner_disconnected`, and its request is not billed."""
    server.fault("runner_lost")
    handle = make(client)
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        handle.get(interval=0.01)
    assert (caught.value.status_code, caught.value.error_type) == (503, "runner_disconnected")
    assert (completed(handle).error_type, server.generations) == ("runner_disconnected", 0)


@pytest.mark.parametrize(
    ("fault", "status", "message"),
    [
        ("unauthorized", 401, "Authentication is required"),
        ("exhausted", 403, "Exhausted balance"),
        ("missing", 404, "not found"),
        ("server_error", 500, "Internal Server Error"),
    ],
)
def test_a_refused_order_raises_the_clients_error(
    client: fal_client.SyncClient, server: FalServer, fault: str, status: int, message: str
) -> None:
    """A refused order raises the client's HTTP error with fal's message, and nothing is billed."""
    server.fault(fault)
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        make(client)
    assert caught.value.status_code == status
    assert message in str(caught.value)
    assert server.generations == 0


def test_the_clients_deadline_and_callback_url_are_read(client: fal_client.SyncClient, server: FalServer) -> None:
    """The stand-in remembers the deadline and the callback URL that the client sends with an order."""
    make(client, start_timeout=90, webhook_url="https://example.com/callback?t=secret&n=1")
    assert server.queue[0].webhook == "https://example.com/callback?t=secret&n=1"
    assert float(server.queue[0].deadline or 0) == 90


def test_each_call_back_sends_the_callback_once(client: fal_client.SyncClient, server: FalServer) -> None:
    """Two calls of `call_back` are two requests at the receiver, which has no such path and answers 404."""
    with FalServer() as receiver:
        handle = make(client, webhook_url=f"{receiver.url}/callback?t=secret")
        assert [server.call_back(handle.request_id), server.call_back(handle.request_id)] == [404, 404]
    assert [exchange.path for exchange in receiver.requests] == ["/callback?t=secret"] * 2
