"""Every way a server with Hugging Face's contract says no, and what its caller is told."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.credential import Credential
from longplay.providers.hugging_face.refusals import explain
from longplay.providers.refusals import Refusal

from tests.providers.payloads import OWN_TOKEN, encoded
from tests.providers.replicate_calls import call

CLOUDFRONT = b"<!DOCTYPE HTML><html><head><TITLE>ERROR: The request could not be satisfied</TITLE></head><body>x"
NOT_SUPPORTED = {"error": "Model not supported by provider hf-inference"}
DEPRECATED = {"error": "The requested model is deprecated and no longer supported by provider hf-inference"}
LOADING = {"error": "Model facebook/musicgen-small is currently loading", "estimated_time": 20.0}
NO_PERMISSION = {"error": "This authentication method does not have sufficient permissions to call Inference"}


class TestARefusal:
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
            (413, b"", FailureKind.BAD_INPUT, Charged.NO, "smaller input image"),
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
    def test_means_one_thing_and_says_what_to_do(self, server, failure, status, payload, kind, charged, said):
        server.says(status, payload if isinstance(payload, bytes) else encoded(payload))
        error = failure()
        assert (error.kind, error.charged) == (kind, charged)
        assert said in error.message
        assert f"127.0.0.1:{server.port} answered {status} for facebook/musicgen-small" in error.message

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
    def test_is_quoted_in_whatever_shape_it_comes(self, server, failure, payload, said):
        server.says(500, payload if isinstance(payload, bytes) else encoded(payload))
        assert failure().message.endswith(f" The server said: {said}")

    @pytest.mark.parametrize(
        "body", [b"", b"{}", b"[]", b"null", b"7", b'{"error": {}}', b'{"error": null}', b'{"a": {"error": 1}}']
    )
    def test_that_says_nothing_is_not_quoted(self, server, failure, body):
        server.says(500, body)
        assert "The server said" not in failure().message

    def test_nested_without_end_is_not_followed(self, server, failure):
        server.says(500, b'{"error":' * 5_000 + b"1" + b"}" * 5_000)
        assert failure().kind is FailureKind.UPSTREAM

    def test_by_redirect_says_whereto(self, server, failure):
        server.says(307, headers={"Location": f"https://new.example/{OWN_TOKEN}"})
        assert failure().message.endswith("go to https://new.example/[token]")

    def test_of_the_operators_own_token_names_that_token(self, server, failure):
        server.says(403)
        assert "`make token PROVIDER=self_hosted`" in failure().message

    def test_for_want_of_a_token_says_so(self, server, failure, tokens):
        del tokens["self_hosted"]
        server.says(401)
        error = failure()
        assert error.kind is FailureKind.AUTH
        assert error.message.startswith("no token stored: ")

    def test_carries_the_providers_request_id(self, server, failure):
        server.says(500, headers={"X-Request-Id": "r1\t" + "x" * 200})
        assert failure().request_id == "r1 " + "x" * 96 + "…"


class TestTheWait:
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
    def test_is_what_the_server_asks_for_within_reason(self, server, failure, status, headers, payload, seconds):
        server.says(status, encoded(payload), headers)
        assert failure().retry_after == seconds

    def test_may_be_asked_for_by_a_date(self, server, failure):
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
def test_a_403_of_hugging_face_is_the_tokens_fault_or_the_models(said, kind, tmp_path):
    """The one closes the whole account, the other this model alone."""
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
def test_a_paused_endpoint_is_no_fault_of_the_request(url, kind, tmp_path):
    """Another route may serve it; of any other server the words mean what they say."""
    refusal = Refusal(
        status=400, said="Bad Request: Invalid state", retry_after=None, estimated_time=None, request_id=None
    )
    assert explain(refusal, call("image", url, tmp_path), Credential("self_hosted", None)).kind == kind
