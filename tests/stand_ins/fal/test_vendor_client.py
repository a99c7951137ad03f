"""The stand-in held to the vendor's own Python client: what that understands, fal could have said."""

import fal_client
import pytest
import requests
from fal_client import client as fal_client_module

from local.stand_ins.fal import FalServer

TOKEN = "1b2c3d4e-0000-4a5b-8c9d-0123456789ab:0123456789abcdef0123456789abcdef"
AUDIO, VIDEO = "fal-ai/stable-audio", "fal-ai/wan/v2.2-5b/text-to-video"


@pytest.fixture
def server():
    with FalServer(quick=True, token=TOKEN) as server:
        yield server


@pytest.fixture
def client(server, monkeypatch):
    monkeypatch.setattr(fal_client_module, "QUEUE_URL_FORMAT", f"{server.url}/")
    client = fal_client.SyncClient(key=TOKEN)
    yield client
    client._client.close()


def make(client, **options):
    return client.submit(AUDIO, {"prompt": "slow jazz", "seconds_total": 1}, **options)


def test_a_request_is_submitted_waited_for_and_fetched(client, server):
    handle = make(client)
    statuses = [type(status) for status in handle.iter_events(interval=0.01)]
    assert statuses == [fal_client.InProgress, fal_client.Completed]
    file = handle.get()["audio_file"]
    assert requests.get(file["url"], timeout=20).content == server.queue[0].files[0].content


def test_a_request_waits_in_the_queue_first(server):
    answer = requests.post(
        f"{server.url}/{AUDIO}", json={"prompt": "x"}, headers={"Authorization": f"Key {TOKEN}"}, timeout=20
    )
    handle = fal_client.SyncRequestHandle("id", "", "", "", None)
    assert handle._parse_status(answer.json()) == fal_client.Queued(position=0)


def test_a_request_is_found_again_by_endpoint_and_id_alone(client):
    handle = client.submit(VIDEO, {"prompt": "a calm sea"})
    found = client.get_handle(VIDEO, handle.request_id)
    assert (found.status_url, found.response_url, found.cancel_url) == (
        handle.status_url,
        handle.response_url,
        handle.cancel_url,
    )
    assert client.result(VIDEO, handle.request_id)["video"]["url"].endswith(".mp4")


def test_a_request_is_canceled(client, server):
    handle = make(client)
    handle.cancel()
    status = handle.status()
    assert (status.error_type, server.generations) == ("client_cancelled", 0)


def test_a_request_that_is_over_is_not_canceled(client, server):
    handle = make(client)
    server.finish(handle.request_id)
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        handle.cancel()
    assert (caught.value.status_code, caught.value.response.json()) == (400, {"status": "ALREADY_COMPLETED"})


def test_a_request_that_fails_says_why(client, server):
    server.fault("refused_prompt")
    handle = make(client)
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        handle.get(interval=0.01)
    assert caught.value.status_code == 422
    assert "flagged by a content checker" in str(caught.value.message)
    assert "flagged by a content checker" in handle.status().error


def test_a_runner_that_is_lost_has_a_type(client, server):
    server.fault("runner_lost")
    handle = make(client)
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        handle.get(interval=0.01)
    assert (caught.value.status_code, caught.value.error_type) == (503, "runner_disconnected")
    assert (handle.status().error_type, server.generations) == ("runner_disconnected", 0)


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        ("unauthorized", 401, "Authentication is required"),
        ("exhausted", 403, "Exhausted balance"),
        ("missing", 404, "not found"),
        ("server_error", 500, "Internal Server Error"),
    ],
)
def test_a_refusal_has_its_detail(client, server, fault, status, said):
    server.fault(fault)
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        make(client)
    assert caught.value.status_code == status
    assert said in str(caught.value)
    assert server.generations == 0


def test_a_deadline_and_a_callback_arrive_as_the_client_sends_them(client, server):
    make(client, start_timeout=90, webhook_url="https://example.com/callback?t=secret&n=1")
    assert server.queue[0].webhook == "https://example.com/callback?t=secret&n=1"
    assert float(server.queue[0].deadline) == 90


def test_a_callback_is_sent_as_often_as_it_is_asked_for(client, server):
    """To a server that has no such route, but remembers what it was asked."""
    with FalServer() as receiver:
        handle = make(client, webhook_url=f"{receiver.url}/callback?t=secret")
        assert [server.call_back(handle.request_id), server.call_back(handle.request_id)] == [404, 404]
    assert [exchange.path for exchange in receiver.requests] == ["/callback?t=secret"] * 2
