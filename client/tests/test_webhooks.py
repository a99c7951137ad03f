"""Webhooks are taken only with a signature that fits."""

from __future__ import annotations

import base64

import pytest
from longplay import WebhookRefused, verify_webhook

# Of the reference implementation's own tests: github.com/standard-webhooks/standard-webhooks, libraries/python.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"test": 2432232314}'
HEADERS = {
    "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "Webhook-Timestamp": "1614265330",
    "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
NOW = 1614265330.0


def test_an_event_with_its_signature_is_taken() -> None:
    """The names of headers may be written in any way."""
    assert verify_webhook(BODY, HEADERS, SECRET, now=NOW) == {"test": 2432232314}


def test_one_of_several_signatures_is_enough() -> None:
    """While a secret is renewed."""
    both = HEADERS | {"Webhook-Signature": f"v1,{base64.b64encode(b'x' * 32).decode()} {HEADERS['Webhook-Signature']}"}
    assert verify_webhook(BODY, both, SECRET, now=NOW)


@pytest.mark.parametrize(
    ("body", "changes", "secret", "now"),
    [
        (BODY + b" ", {}, SECRET, NOW),
        (BODY, {"Webhook-Id": "other"}, SECRET, NOW),
        (BODY, {"Webhook-Timestamp": "1614265331"}, SECRET, NOW),
        (BODY, {"Webhook-Timestamp": "soon"}, SECRET, NOW),
        (BODY, {"Webhook-Signature": ""}, SECRET, NOW),
        (BODY, {"Webhook-Signature": "v1,é"}, SECRET, NOW),
        (BODY, {}, f"whsec_{base64.b64encode(b'other').decode()}", NOW),
        (BODY, {}, "whsec_no base64", NOW),
        (BODY, {}, SECRET, NOW + 301),
        (BODY, {}, SECRET, NOW - 301),
    ],
)
def test_any_other_is_refused(body: bytes, changes: dict[str, str], secret: str, now: float) -> None:
    """Changed, old, from the future, or unreadable."""
    with pytest.raises(WebhookRefused):
        verify_webhook(body, HEADERS | changes, secret, now=now)


def test_without_headers_it_is_refused() -> None:
    """As any request to the address could come without them."""
    with pytest.raises(WebhookRefused):
        verify_webhook(BODY, {}, SECRET)
