"""The stand-in held to the vendor's own Python client: what that understands, Replicate could have said."""

import pytest
import replicate
from replicate.exceptions import ReplicateError
from replicate.helpers import FileOutput
from replicate.webhook import Webhooks

from local.stand_ins.replicate import ReplicateServer

MUSICGEN = "meta/musicgen:671ac645ce5e552cc63a54a2bbff63fcf798043055d2dac5fc9e36a837eedcfb"
TOKEN = "r8_AbCdEfGh0123456789"


@pytest.fixture
def server():
    with ReplicateServer(quick=True, token=TOKEN) as server:
        yield server


@pytest.fixture
def client(server):
    client = replicate.Client(api_token=TOKEN, base_url=server.url)
    client.poll_interval = 0.01
    yield client
    client._client.close()


def make(client, **options):
    return client.predictions.create(MUSICGEN, input={"prompt": "slow jazz", "duration": 1}, **options)


def test_a_prediction_of_a_version_is_created_waited_for_and_fetched(client, server):
    prediction = make(client)
    assert prediction.status == "starting"
    prediction.wait()
    assert (prediction.status, prediction.model) == ("succeeded", "meta/musicgen")
    assert prediction.output.startswith(f"{server.url}/delivery/{prediction.id}/")
    assert prediction.completed_at.endswith("Z")
    assert prediction.metrics["predict_time"] >= 0


def test_an_official_model_answers_with_a_list_of_files(client):
    prediction = client.models.predictions.create("black-forest-labs/flux-schnell", input={"prompt": "a calm sea"})
    prediction.wait()
    assert FileOutput(prediction.output[0], client).read().startswith(b"\x89PNG")


def test_a_prediction_is_canceled(client, server):
    prediction = make(client)
    prediction.cancel()
    prediction.reload()
    assert prediction.status == "canceled"
    assert server.generations == 0


def test_a_prediction_that_fails_says_why(client, server):
    server.fault("nsfw")
    prediction = make(client)
    prediction.wait()
    assert prediction.status == "failed"
    assert prediction.error.startswith("NSFW content detected")
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
def test_a_refusal_is_a_problem_document(client, server, fault, status, title):
    server.fault(fault)
    with pytest.raises(ReplicateError) as caught:
        make(client)
    assert (caught.value.status, caught.value.title) == (status, title)
    assert server.generations == 0


def test_a_callback_bears_a_signature_the_client_accepts(client, server):
    prediction = make(client, webhook="https://example.com/callback", webhook_events_filter=["completed"])
    server.finish(prediction.id)
    callback = server.callback(prediction.id)
    Webhooks.validate(headers=callback.headers, body=callback.body.decode(), secret=client.webhooks.default.secret())
    assert client.predictions.get(prediction.id).status == "succeeded"


def test_a_callback_is_sent_as_often_as_it_is_asked_for(client, server):
    """To a server that has no such route, but remembers what it was asked."""
    with ReplicateServer() as receiver:
        prediction = make(client, webhook=f"{receiver.url}/callback?t=secret")
        assert [server.call_back(prediction.id), server.call_back(prediction.id)] == [404, 404]
    assert [exchange.path for exchange in receiver.requests] == ["/callback?t=secret"] * 2
