"""Replicate's own Python client works with the stand-in, so its answers have the form that Replicate's have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from replicate.client import Client
from replicate.exceptions import ReplicateError
from replicate.helpers import FileOutput
from replicate.prediction import Prediction
from replicate.webhook import Webhooks

from local.stand_ins.replicate import ReplicateServer

MUSICGEN = "meta/musicgen:671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb"
TOKEN = "r8_AbCdEfGh0123456789"


@pytest.fixture
def server() -> Iterator[ReplicateServer]:
    """A stand-in that requires a token."""
    with ReplicateServer(quick=True, token=TOKEN) as server:
        yield server


@pytest.fixture
def client(server: ReplicateServer) -> Iterator[Client]:
    """Replicate's client, which sends its requests to the stand-in and polls fast."""
    client = Client(api_token=TOKEN, base_url=server.url)
    client.poll_interval = 0.01
    yield client
    client._client.close()


def make(client: Client, **options: Any) -> Prediction:
    """A new prediction of one second of music."""
    return client.predictions.create(MUSICGEN, input={"prompt": "slow jazz", "duration": 1}, **options)


def test_a_prediction_of_a_version_is_created_and_fetched(client: Client, server: ReplicateServer) -> None:
    """The client follows a prediction to its end, and reads its output, its end and its metrics."""
    prediction = make(client)
    assert prediction.status == "starting"
    prediction.wait()
    assert (prediction.status, prediction.model) == ("succeeded", "meta/musicgen")
    assert str(prediction.output).startswith(f"{server.url}/delivery/{prediction.id}/")
    assert str(prediction.completed_at).endswith("Z")
    assert (prediction.metrics or {})["predict_time"] >= 0


def test_an_official_model_gives_a_list_of_files(client: Client) -> None:
    """The output of an official model is a list of URLs, where the client finds a PNG."""
    prediction = client.models.predictions.create("black-forest-labs/flux-schnell", input={"prompt": "a calm sea"})
    prediction.wait()
    assert prediction.output
    assert FileOutput(prediction.output[0], client).read().startswith(b"\x89PNG")


def test_a_prediction_can_be_canceled(client: Client, server: ReplicateServer) -> None:
    """A prediction that is canceled before it starts shows that, and is not billed."""
    prediction = make(client)
    prediction.cancel()
    prediction.reload()
    assert prediction.status == "canceled"
    assert server.generations == 0


def test_a_failed_prediction_gives_its_reason(client: Client, server: ReplicateServer) -> None:
    """A prediction that fails says why, and is billed."""
    server.fault("nsfw")
    prediction = make(client)
    prediction.wait()
    assert prediction.status == "failed"
    assert str(prediction.error).startswith("NSFW content detected")
    assert server.generations == 1


@pytest.mark.parametrize(
    ("fault", "status", "title"),
    [
        ("unauthorized", 401, "Unauthenticated"),
        ("credits", 402, "Insufficient credit"),
        ("missing", 404, "Not found"),
        ("invalid", 422, "Input validation failed"),
        ("unknown_version", 422, "Invalid version or not permitted"),
        ("server_error", 500, "Internal server error"),
    ],
)
def test_a_refused_order_raises_the_clients_error(
    client: Client, server: ReplicateServer, fault: str, status: int, title: str
) -> None:
    """A refused order raises the client's error with the status and the title of the problem document."""
    server.fault(fault)
    with pytest.raises(ReplicateError) as caught:
        make(client)
    assert (caught.value.status, caught.value.title) == (status, title)
    assert server.generations == 0


def test_the_client_accepts_the_signature_of_a_callback(client: Client, server: ReplicateServer) -> None:
    """The client validates a callback with the secret that it fetches from the stand-in."""
    prediction = make(client, webhook="https://example.com/callback", webhook_events_filter=["completed"])
    server.finish(prediction.id)
    callback = server.callback(prediction.id)
    Webhooks.validate(headers=callback.headers, body=callback.body.decode(), secret=client.webhooks.default.secret())
    assert client.predictions.get(prediction.id).status == "succeeded"


def test_each_call_back_sends_the_callback_once(client: Client, server: ReplicateServer) -> None:
    """Two calls of `call_back` are two requests at the receiver, which has no such path and answers 404."""
    with ReplicateServer() as receiver:
        prediction = make(client, webhook=f"{receiver.url}/callback?t=secret")
        assert [server.call_back(prediction.id), server.call_back(prediction.id)] == [404, 404]
    assert [exchange.path for exchange in receiver.requests] == ["/callback?t=secret"] * 2
