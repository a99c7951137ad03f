"""Refusals in Hugging Face's contract: the kind, charge and advice of each, and the wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.credential import Credential
from longplay.providers.hugging_face.refusals import explain
from longplay.providers.refusals import Refusal

from tests.providers.failures import facts
from tests.providers.hugging_face.calls import Failure
from tests.providers.payloads import OWN_TOKEN, encoded
from tests.providers.raw_server import RawServer
from tests.providers.replicate.calls import call
from tests.providers.tokens import Tokens

CLOUDFRONT = b"<!DOCTYPE HTML><html><head><TITLE>ERROR: The request could not be satisfied</TITLE></head><body>x"
NOT_SUPPORTED = {"error": "Model not supported by provider hf-inference"}
DEPRECATED = {"error": "The requested model is deprecated and no longer supported by provider hf-inference"}
LOADING = {"error": "Model facebook/musicgen-small is currently loading", "estimated_time": 20.0}
NAN = "probability tensor contains either `inf`, `nan` or element < 0"
NO_PERMISSION = {"error": "This authentication method does not have sufficient permissions to call Inference"}


@pytest.mark.parametrize(
    ("status", "payload", "kind", "charged", "said"),
    [
        (400, NOT_SUPPORTED, FailureKind.NOT_SERVED, Charged.NO, "the model is not served there"),
        (400, {"error": ["bad steps"]}, FailureKind.BAD_INPUT, Charged.NO, "bad steps"),
        (400, {"error": "CUDA out of memory."}, FailureKind.OUT_OF_MEMORY, Charged.NO, "larger GPU"),
        (400, {"error": "NSFW content"}, FailureKind.MODERATED, Charged.NO, "Change the prompt"),
        (401, {"error": "Invalid credentials"}, FailureKind.AUTH, Charged.NO, "the token was refused: "),
        (402, {"error": "You have depleted"}, FailureKind.CREDITS, Charged.NO, "no credits left"),
        (403, NO_PERMISSION, FailureKind.FORBIDDEN, Charged.NO, "does not permit this: "),
        (404, {"error": "Model X does not exist"}, FailureKind.NOT_SERVED, Charged.NO, "does not exist"),
        (404, b"Cannot POST /x", FailureKind.NOT_SERVED, Charged.NO, "Cannot POST /x"),
        (405, b"", FailureKind.NOT_SERVED, Charged.NO, "the model is not served there"),
        (406, {"detail": "Accept"}, FailureKind.NOT_SERVED, Charged.NO, "Accept"),
        (408, b"", FailureKind.UPSTREAM, Charged.NO, "not available"),
        (410, DEPRECATED, FailureKind.NOT_SERVED, Charged.NO, "deprecated"),
        (409, {"error": "busy"}, FailureKind.UPSTREAM, Charged.NO, "cannot take this now"),
        (413, b"", FailureKind.BAD_INPUT, Charged.NO, "shorter prompt"),
        (425, b"", FailureKind.UPSTREAM, Charged.NO, "cannot take this now"),
        (400, {"error": "CUDA error: device-side assert triggered"}, FailureKind.UPSTREAM, Charged.NO, "GPU"),
        (400, {"error": "Torch not compiled with CUDA enabled"}, FailureKind.UPSTREAM, Charged.NO, "GPU"),
        (400, {"error": "CUBLAS_STATUS_ALLOC_FAILED"}, FailureKind.OUT_OF_MEMORY, Charged.NO, "memory"),
        (500, {"error": "torch.OutOfMemoryError: HIP"}, FailureKind.OUT_OF_MEMORY, Charged.UNKNOWN, "memory"),
        (400, {"error": NAN}, FailureKind.UPSTREAM, Charged.NO, "the model produced NaN"),
        (500, {"error": "A tensor with all NaNs was produced in VAE."}, FailureKind.UPSTREAM, Charged.UNKNOWN, "NaN"),
        (418, b"", FailureKind.BAD_INPUT, Charged.NO, "the request was refused"),
        (422, b"Failed to deserialize", FailureKind.BAD_INPUT, Charged.NO, "Failed to deserialize"),
        (429, {"error": "Rate limit reached"}, FailureKind.THROTTLED, Charged.NO, "too many requests"),
        (500, {"error": "unknown error"}, FailureKind.UPSTREAM, Charged.UNKNOWN, "been billed"),
        (500, {"error": "CUDA out of memory"}, FailureKind.OUT_OF_MEMORY, Charged.UNKNOWN, "memory"),
        (502, CLOUDFRONT, FailureKind.UPSTREAM, Charged.UNKNOWN, "could not be satisfied”"),
        (503, LOADING, FailureKind.LOADING, Charged.NO, "the model is loading"),
        (503, b"Service starting", FailureKind.LOADING, Charged.NO, "the model is loading"),
        (503, CLOUDFRONT, FailureKind.UPSTREAM, Charged.NO, "not available"),
        (504, b"", FailureKind.UPSTREAM, Charged.UNKNOWN, "been billed"),
        (529, b"", FailureKind.UPSTREAM, Charged.UNKNOWN, "been billed"),
        (302, b"", FailureKind.NOT_SERVED, Charged.NO, "redirects are not followed"),
        (304, b"", FailureKind.NOT_SERVED, Charged.NO, "redirects are not followed"),
    ],
)
def test_a_refusal_has_its_kind_charge_and_advice(
    server: RawServer, failure: Failure, status: int, payload: Any, kind: FailureKind, charged: Charged, said: str
) -> None:
    """Each refusal has its kind, its charge and its advice, and names server, status and model."""
    server.says(status, payload if isinstance(payload, bytes) else encoded(payload))
    error = failure()
    assert facts(error) == (kind, charged)
    assert said in error.message
    for fact in (f"127.0.0.1:{server.port}", str(status), "facebook/musicgen-small"):
        assert fact in error.message


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"error": "a"}, "a"),
        ({"error": ["a", "b"]}, "a; b"),
        ({"error": {"message": "a", "type": "t"}}, "a"),
        ({"detail": "a"}, "a"),
        ({"detail": [{"loc": ["body", "seed"], "msg": "a", "type": "t"}]}, "body.seed: a"),
        ({"title": "t", "detail": "a", "status": 422}, "a"),
        ({"message": "a"}, "a"),
        ({"text": "a"}, "a"),
        ("a", "a"),
        (b"plain\r\n\x1b[31m  text\x00", "plain [31m text"),
        (CLOUDFRONT, "an HTML page (“ERROR: The request could not be satisfied”)"),
        (b"<html><script>alert(1)</script>", "an HTML page"),
        (b"\xff\xfe", "��"),
        ({"error": "x" * 10_000}, "x" * 299 + "…"),
    ],
)
def test_a_refusals_text_is_quoted(server: RawServer, failure: Failure, payload: Any, said: str) -> None:
    """The server's text is found in each shape of error body, and quoted as one printable line."""
    server.says(500, payload if isinstance(payload, bytes) else encoded(payload))
    assert failure().message.endswith(f": {said}")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b"7", b'{"error": {}}', b'{"error": null}', b'{"a": {"error": 1}}']
)
def test_a_refusal_without_text_is_not_quoted(server: RawServer, failure: Failure, body: bytes) -> None:
    """A body without a text adds no quotation."""
    server.says(500, body)
    assert failure().message.endswith("billed.")


def test_a_deeply_nested_refusal_is_not_followed(server: RawServer, failure: Failure) -> None:
    """A body nested thousands of levels deep is read as no text."""
    server.says(500, b'{"error":' * 5_000 + b"1" + b"}" * 5_000)
    assert failure().kind is FailureKind.UPSTREAM


def test_a_redirect_names_its_target(server: RawServer, failure: Failure) -> None:
    """A redirect's target is quoted, without the token."""
    server.says(307, headers={"Location": f"https://new.example/{OWN_TOKEN}"})
    assert failure().message.endswith("https://new.example/[token]")


def test_a_refused_operators_token_is_named(server: RawServer, failure: Failure) -> None:
    """A refusal of the operator's token names the command that stores it."""
    server.says(403)
    assert "`make token PROVIDER=self_hosted`" in failure().message


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_refusal_without_a_token_says_so(server: RawServer, failure: Failure, tokens: Tokens, status: int) -> None:
    """A refused call that carried no token closes no account, and says that none is stored."""
    del tokens["self_hosted"]
    server.says(status)
    error = failure()
    assert error.kind is FailureKind.REFUSED
    assert "no token" in error.message


def test_a_refusal_has_the_servers_request_id(server: RawServer, failure: Failure) -> None:
    """The server's request id is kept, printable and at most 100 characters long."""
    server.says(500, headers={"X-Request-Id": "r1\t" + "x" * 200})
    assert failure().request_id == "r1 " + "x" * 96 + "…"


@pytest.mark.parametrize(
    ("status", "headers", "payload", "seconds"),
    [
        (429, {"Retry-After": "7"}, {}, 7),
        (429, {"Retry-After": "7", "RateLimit": '"api";r=0;t=55'}, {"retry_after": 9}, 7),
        (429, {"RateLimit": '"api";r=0;t=55'}, {"retry_after": 9}, 55),
        (429, {"Retry-After": "soon", "RateLimit": "x"}, {"retry_after": 9}, 9),
        (429, {}, {}, None),
        (429, {"Retry-After": "1e9"}, {}, 3600),
        (429, {"Retry-After": "-5"}, {}, None),
        (429, {"Retry-After": "nan"}, {}, None),
        (429, {"Retry-After": "inf"}, {"retry_after": [1]}, None),
        (429, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}, {}, 0),
        (429, {"Retry-After": "Thu, 99 Jan 99999 00:00:00 GMT"}, {"retry_after": "x"}, None),
        (503, {}, {"error": "loading", "estimated_time": 20.5}, 20.5),
        (503, {}, {"error": "loading", "estimated_time": 86_400}, 120),
        (503, {"Retry-After": "3"}, {"error": "loading", "estimated_time": 20}, 3),
        (503, {}, {"error": "loading", "estimated_time": -20}, None),
        (503, {}, {"error": "loading", "estimated_time": "NaN"}, None),
        (503, {}, {"error": "loading", "estimated_time": 10**400}, None),
        (500, {}, {}, None),
    ],
)
def test_a_wait_is_the_servers_within_limits(
    server: RawServer, failure: Failure, status: int, headers: dict[str, str], payload: Any, seconds: float | None
) -> None:
    """The wait is the one the server names, in headers or body, within limits."""
    server.says(status, encoded(payload), headers)
    assert failure().retry_after == seconds


def test_a_wait_can_be_a_date(server: RawServer, failure: Failure) -> None:
    """A `Retry-After` date becomes the seconds until then."""
    soon = datetime.now(UTC) + timedelta(seconds=90)
    server.says(429, headers={"Retry-After": format_datetime(soon, usegmt=True)})
    assert failure().retry_after == pytest.approx(90, abs=10)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("This authentication method does not have sufficient permissions to call Inference Providers", "auth"),
        ("Access to model x is restricted", "forbidden"),
    ],
)
def test_the_403_of_hugging_face_is_read_by_its_text(said: str, kind: str, tmp_path: Path) -> None:
    """A 403 is AUTH, which closes the account, or FORBIDDEN, which closes only this model."""
    refusal = Refusal(status=403, said=said, retry_after=None, estimated_time=None, request_id=None)
    asked = call("image", "https://router.huggingface.co/hf-inference/models/x", tmp_path)
    assert explain(refusal, asked, Credential("huggingface", "hf_token")).kind == kind


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://xyz.eu-west-1.aws.endpoints.huggingface.cloud/", "not_served"),
        ("https://gpu.example.com/", "bad_input"),
    ],
)
def test_a_paused_endpoint_is_not_served(url: str, kind: str, tmp_path: Path) -> None:
    """Hugging Face's "Invalid state" is a paused endpoint, and from another server a bad request."""
    refusal = Refusal(
        status=400, said="Bad Request: Invalid state", retry_after=None, estimated_time=None, request_id=None
    )
    assert explain(refusal, call("image", url, tmp_path), Credential("self_hosted", None)).kind == kind


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("bad width at http://10.0.0.7:8080/models/x?key=1", "bad width at […]"),
        ("bad width at gpu-1.internal:5000", "bad width at […]"),
        ("bad width: 192.168.1.20 refused", "bad width: […] refused"),
        ("bad width: see gpu.example.com", "bad width: see […]"),
        ("bad width in /opt/app/handler.py", "bad width in […]"),
        ("bad width: arn:aws:iam::123456789012:role/x", "bad width: […]"),
        ("bad width: run `make token PROVIDER=x`", "bad width: run […]"),
        ("width/height must be 8:1 or 16:9, steps 1.5 to 3.0", "width/height must be 8:1 or 16:9, steps 1.5 to 3.0"),
    ],
)
def test_callers_read_the_models_words_without_addresses(
    server: RawServer, failure: Failure, said: str, shown: str
) -> None:
    """The operator reads all of them."""
    server.says(400, encoded({"error": said}))
    error = failure("image")
    assert error.detail == shown
    assert said in error.message
