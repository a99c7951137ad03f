"""Hugging Face's routed providers before answers that are false, foreign or meant to do harm."""

import json

import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.protocol import PollError

from local.stand_ins.hub.served import SERVED
from tests.providers.conftest import Tokens, adapters, answer
from tests.providers.payloads import TOKEN, image_file, packed
from tests.providers.routed_calls import ROUTES, call

REFS = {
    "fal image": "/fal-ai/flux/requests/gm3qorzdhgbfurvjtvhg6dckhu",
    "replicate image": "gm3qorzdhgbfurvjtvhg6dckhu",
    "together video": "gm3qorzdhgbfurvjtvhg6dckhu",
    "wavespeed image": "/api/v3/predictions/gm3qorzdhgbfurvjtvhg6dckhu/result",
}


@pytest.fixture
def ask(server, tmp_path):
    """A route's provider and its call, at a server that answers all but the mapping with `body`."""
    providers = adapters(Tokens(huggingface=TOKEN))

    def make(name, body):
        asked = call(name, f"http://127.0.0.1:{server.port}", tmp_path)

        def script(connection):
            mapping = json.dumps({"inferenceProviderMapping": SERVED[asked.model]}).encode()
            connection.sendall(answer(200, mapping if "/api/models/" in server.requests[-1].line else body))

        server.script = script
        return providers[ROUTES[name][0]], asked

    return make


def encoded(payload):
    return payload if isinstance(payload, bytes) else json.dumps(payload).encode()


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        *(
            ("fal image", {"request_id": "x", "response_url": url})
            for url in (
                "https://queue.fal.run/fal-ai/../../account/requests/gm3qorzdhg",
                "https://queue.fal.run/fal-ai/flux/requests/../../x/gm3qorzdhg",
                "https://queue.fal.run/fal-ai/flux/requests/%2e%2e%2f%2e%2e",
                f"https://queue.fal.run/{'a' * 300}/flux/requests/gm3qorzdhg",
                "https://queue.fal.run//evil.invalid/requests/gm3qorzdhg",
                ["https://queue.fal.run/fal-ai/flux/requests/gm3qorzdhg"],
                None,
            )
        ),
        *(
            ("wavespeed image", {"data": {"urls": {"get": url}}})
            for url in ("/api/v3/../x", "/x/../api/v3/predictions/gm3qorzdhg/../x", "/api/v2/predictions/x", 7)
        ),
        *(("wavespeed image", {"data": data}) for data in ([], "x", {"urls": []}, None)),
        *(("together video", {"id": job}) for job in ("../x", "a" * 100, "éééééééé", 7, None, {"id": "abcdefgh"})),
        *(("replicate image", {"id": job, "status": "starting"}) for job in ("../predictions", "A" * 20, 7)),
        *((name, payload) for name in REFS for payload in (b"", b"[]", b"null", b"\xff\xfe", b"[" * 5000, b"7", {})),
    ],
)
def test_an_order_whose_answer_cannot_be_followed_may_have_cost_something(ask, name, payload):
    provider, asked = ask(name, encoded(payload))
    with pytest.raises(ProviderError) as caught:
        provider.submit(asked)
    assert (caught.value.kind, caught.value.charged) == (FailureKind.UPSTREAM, Charged.UNKNOWN)


@pytest.mark.parametrize("name", REFS)
@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"\xff", b"[" * 5000, {}, {"status": 7}, {"data": []}, {"status": ["COMPLETED"]}, {"id": "../x"}],
)
def test_a_poll_whose_answer_says_nothing_is_made_again(ask, name, payload):
    provider, asked = ask(name, encoded(payload))
    with pytest.raises(PollError):
        provider.poll(REFS[name], asked)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("wavespeed image", {"data": {"status": "completed", "outputs": "https://wavespeed.ai/x"}}),
        ("wavespeed image", {"data": {"status": "completed", "outputs": [7, None, {}]}}),
        ("wavespeed image", {"data": {"status": "completed", "outputs": ["file:///etc/passwd"]}}),
        (
            "wavespeed image",
            {"data": {"status": "completed", "outputs": ["https://169.254.169.254/latest/meta-data"]}},
        ),
        ("wavespeed image", {"data": {"status": "completed", "outputs": ["https://cloudfront.net/x"]}}),
        (
            "together video",
            {"status": "completed", "outputs": {"video_url": "https://together.ai.elsewhere.invalid/x"}},
        ),
        ("together video", {"status": "completed", "outputs": {"video_url": ["https://api.together.ai/x"]}}),
        ("together video", {"status": "completed", "outputs": 7}),
        ("together video", {"status": "completed"}),
        ("replicate image", {"id": REFS["replicate image"], "status": "succeeded", "output": {"url": "x"}}),
        (
            "replicate image",
            {"id": REFS["replicate image"], "status": "succeeded", "output": ["//elsewhere.invalid"]},
        ),
        ("fal image", {"status": "COMPLETED", "images": [{"url": "https://fal.media@elsewhere.invalid/x"}]}),
        ("fal image", {"status": "COMPLETED", "images": "x", "video": 7}),
    ],
)
def test_a_result_that_cannot_be_fetched_is_of_no_use(ask, name, payload):
    provider, asked = ask(name, encoded(payload))
    with pytest.raises(ProviderError) as caught:
        provider.poll(REFS[name], asked)
    assert (caught.value.kind, caught.value.charged) == (FailureKind.BAD_OUTPUT, Charged.YES)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("wavespeed image", {"data": {"status": "failed", "error": f"bad token {TOKEN}\x1b[2J"}}),
        ("together video", {"status": "failed", "error": {"message": f"bad token {TOKEN}\x1b[2J"}}),
        ("together video", {"status": "failed", "error": f"bad token {TOKEN}\x1b[2J"}),
        ("fal image", {"status": "COMPLETED", "error": f"{TOKEN}\x1b[2J", "error_type": "runner_server_error"}),
    ],
)
def test_a_failures_text_loses_the_token_and_what_is_not_printable(ask, name, payload):
    provider, asked = ask(name, encoded(payload))
    with pytest.raises(ProviderError) as caught:
        provider.poll(REFS[name], asked)
    assert caught.value.kind is FailureKind.UPSTREAM
    assert TOKEN not in caught.value.message
    assert caught.value.message.isprintable()


def test_a_canceled_job_may_have_cost_something(ask):
    """By somebody at Together; there is no word of why."""
    provider, asked = ask("together video", encoded({"status": "cancelled"}))
    with pytest.raises(ProviderError) as caught:
        provider.poll(REFS["together video"], asked)
    assert (caught.value.kind, caught.value.charged) == (FailureKind.UPSTREAM, Charged.UNKNOWN)
    assert "cancelled" in caught.value.message


@pytest.mark.parametrize("said", ["Model not supported by provider together", "model is loading", "CUDA out of memory"])
def test_a_failure_is_never_free_whatever_it_says_of_itself(ask, said):
    """The generation was taken on, and may have run."""
    provider, asked = ask("together video", encoded({"status": "failed", "error": {"message": said}}))
    with pytest.raises(ProviderError) as caught:
        provider.poll(REFS["together video"], asked)
    assert caught.value.charged is Charged.UNKNOWN


@pytest.mark.parametrize("name", ["nscale image", "together image"])
@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ({"data": [{"b64_json": "%%%"}]}, FailureKind.BAD_OUTPUT),
        ({"data": [{"b64_json": packed(b"<html>")}]}, FailureKind.BAD_OUTPUT),
        ({"data": [{"url": "https://elsewhere.invalid/x.png"}]}, FailureKind.BAD_OUTPUT),
        ({"data": []}, FailureKind.BAD_OUTPUT),
        ({"data": [{"b64_json": packed(b"ID3" + bytes(64))}]}, FailureKind.BAD_OUTPUT),
        ({"error": {"message": "NSFW content"}}, FailureKind.MODERATED),
        (b"", FailureKind.UPSTREAM),
    ],
)
def test_an_image_that_is_none_is_never_stored(ask, name, payload, kind):
    provider, asked = ask(name, encoded(payload))
    with pytest.raises(ProviderError) as caught:
        provider.submit(asked)
    assert caught.value.kind is kind


def test_an_image_is_typed_by_its_bytes(ask):
    """Whatever it was asked for as, and with a data URI's head or without."""
    head = "data:image/png;base64,"
    provider, asked = ask("nscale image", encoded({"data": [{"b64_json": head + packed(image_file("JPEG"))}]}))
    assert provider.submit(asked).files[0].content_type == "image/jpeg"
