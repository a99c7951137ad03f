"""Answers of Hugging Face's partners that are false, unreadable or harmful."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.inference_providers.polled import FAILED
from longplay.providers.protocol import Call, PolledProvider, PollError, Provider

from local.stand_ins.hub.served import SERVED
from tests.providers.failures import facts, raised
from tests.providers.inference_providers.calls import ID, ROUTES, call, routed_adapters
from tests.providers.payloads import TOKEN, encoded, image_file, packed
from tests.providers.polling import generate
from tests.providers.raw_server import RawServer, answer
from tests.providers.tokens import Tokens

Ask = Callable[[str, bytes], tuple[Provider, Call]]

REFS = {
    "fal image": f"/fal-ai/flux/requests/{ID}",
    "replicate image": ID,
    "together video": ID,
    "wavespeed image": f"/api/v3/predictions/{ID}/result",
}

FAL_ADDRESSES: tuple[Any, ...] = (
    "https://queue.fal.run/fal-ai/../../account/requests/gm3qorzdhg",
    "https://queue.fal.run/fal-ai/flux/requests/../../x/gm3qorzdhg",
    "https://queue.fal.run/fal-ai/flux/requests/%2e%2e%2f%2e%2e",
    f"https://queue.fal.run/{'a' * 300}/flux/requests/gm3qorzdhg",
    "https://queue.fal.run//evil.invalid/requests/gm3qorzdhg",
    ["https://queue.fal.run/fal-ai/flux/requests/gm3qorzdhg"],
    None,
)
WAVESPEED_ADDRESSES = ("/api/v3/../x", "/x/../api/v3/predictions/gm3qorzdhg/../x", "/api/v2/predictions/x", 7)
WAVESPEED_DATA: tuple[Any, ...] = ([], "x", {"urls": []}, None)
TOGETHER_IDS: tuple[Any, ...] = ("../x", "a" * 100, "éééééééé", 7, None, {"id": "abcdefgh"})
REPLICATE_IDS = ("../predictions", "A" * 20, 7)
ANY_PARTNERS: tuple[Any, ...] = (b"", b"[]", b"null", b"\xff\xfe", b"[" * 5000, b"7", {})
UNUSABLE_REFERENCES: list[tuple[str, Any]] = [
    *(("fal image", {"request_id": "x", "response_url": url}) for url in FAL_ADDRESSES),
    *(("wavespeed image", {"data": {"urls": {"get": url}}}) for url in WAVESPEED_ADDRESSES),
    *(("wavespeed image", {"data": data}) for data in WAVESPEED_DATA),
    *(("together video", {"id": job}) for job in TOGETHER_IDS),
    *(("replicate image", {"id": job, "status": "starting"}) for job in REPLICATE_IDS),
    *((name, payload) for name in REFS for payload in ANY_PARTNERS),
]


@pytest.fixture
def ask(server: RawServer, tmp_path: Path) -> Ask:
    """Returns a route's provider and a call to a server that answers everything but the mapping with `body`."""
    providers = routed_adapters(Tokens(huggingface=TOKEN))

    def make(name: str, body: bytes) -> tuple[Provider, Call]:
        asked = call(name, f"http://127.0.0.1:{server.port}", tmp_path)

        def script(connection: socket.socket) -> None:
            mapping = json.dumps({"inferenceProviderMapping": SERVED[asked.model]}).encode()
            connection.sendall(answer(200, mapping if "/api/models/" in server.requests[-1].line else body))

        server.script = script
        return providers[ROUTES[name][0]], asked

    return make


def polled(provider: Provider) -> PolledProvider:
    """The provider, which must be one that is polled."""
    assert isinstance(provider, PolledProvider)
    return provider


@pytest.mark.parametrize(("name", "payload"), UNUSABLE_REFERENCES)
def test_an_unusable_reference_may_be_charged(ask: Ask, name: str, payload: Any) -> None:
    """An answer to an order without a usable reference is UPSTREAM, and may have been charged."""
    provider, asked = ask(name, encoded(payload))
    error = raised(provider.submit, asked)
    assert facts(error) == (FailureKind.UPSTREAM, Charged.UNKNOWN)


@pytest.mark.parametrize("name", REFS)
@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"\xff", b"[" * 5000, {}, {"status": 7}, {"data": []}, {"status": ["COMPLETED"]}, {"id": "../x"}],
)
def test_an_unreadable_poll_does_not_fail_the_generation(ask: Ask, name: str, payload: Any) -> None:
    """An answer to a poll that says nothing readable is a PollError."""
    provider, asked = ask(name, encoded(payload))
    with pytest.raises(PollError):
        polled(provider).poll(REFS[name], asked)


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
def test_a_result_at_an_unusable_address_is_bad_output(ask: Ask, name: str, payload: Any) -> None:
    """A result at an address that may not be fetched is BAD_OUTPUT, and was charged."""
    provider, asked = ask(name, encoded(payload))
    error = raised(polled(provider).poll, REFS[name], asked)
    assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("wavespeed image", {"data": {"status": "failed", "error": f"bad token {TOKEN}\x1b[2J"}}),
        ("together video", {"status": "failed", "error": {"message": f"bad token {TOKEN}\x1b[2J"}}),
        ("together video", {"status": "failed", "error": f"bad token {TOKEN}\x1b[2J"}),
        ("fal image", {"status": "COMPLETED", "error": f"{TOKEN}\x1b[2J", "error_type": "runner_server_error"}),
    ],
)
def test_a_failures_text_is_printable_and_without_the_token(ask: Ask, name: str, payload: Any) -> None:
    """A partner's text is quoted without the token and without control characters."""
    provider, asked = ask(name, encoded(payload))
    error = raised(polled(provider).poll, REFS[name], asked)
    assert error.kind is FailureKind.UPSTREAM
    assert TOKEN not in error.message
    assert error.message.isprintable()


def test_a_job_canceled_at_together_may_be_charged(ask: Ask) -> None:
    """A job that was canceled at Together, which gives no reason, may have been charged."""
    provider, asked = ask("together video", encoded({"status": "cancelled"}))
    error = raised(polled(provider).poll, REFS["together video"], asked)
    assert facts(error) == (FailureKind.UPSTREAM, Charged.UNKNOWN)
    assert "cancelled" in error.message


@pytest.mark.parametrize("status", sorted(FAILED))
@pytest.mark.parametrize("name", ["wavespeed image", "together video"])
def test_every_status_of_an_end_ends_the_generation(ask: Ask, name: str, status: str) -> None:
    """It is not polled until the job's deadline; it may have been charged."""
    progress = {"status": status, "error": ""}
    provider, asked = ask(name, encoded({"data": progress} if name.startswith("wavespeed") else progress))
    error = raised(polled(provider).poll, REFS[name], asked)
    assert facts(error) == (FailureKind.UPSTREAM, Charged.UNKNOWN)
    assert status in error.message


@pytest.mark.parametrize("said", ["Model not supported by provider together", "model is loading", "CUDA out of memory"])
def test_the_text_of_a_failed_generation_does_not_make_it_free(ask: Ask, said: str) -> None:
    """An accepted generation may have run, so its failure is never free, even if its text says so."""
    provider, asked = ask("together video", encoded({"status": "failed", "error": {"message": said}}))
    error = raised(polled(provider).poll, REFS["together video"], asked)
    assert error.charged is Charged.UNKNOWN


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
def test_an_answer_that_is_no_image_is_a_failure(ask: Ask, name: str, payload: Any, kind: FailureKind) -> None:
    """An answer without a readable image is a failure of the right kind."""
    provider, asked = ask(name, encoded(payload))
    error = raised(provider.submit, asked)
    assert error.kind is kind


def test_an_image_is_typed_by_its_bytes(ask: Ask) -> None:
    """The type of an image is read from its bytes, not from the data URI."""
    head = "data:image/png;base64,"
    provider, asked = ask("nscale image", encoded({"data": [{"b64_json": head + packed(image_file("JPEG"))}]}))
    assert generate(provider, asked).files[0].content_type == "image/jpeg"
