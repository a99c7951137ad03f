"""Checks that a webhook is from the deployment (Standard Webhooks, standardwebhooks.com, "Signature scheme")."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from longplay.errors import LongplayError

TOLERANCE = 300.0  # seconds between the signature and its check
_PREFIX = "whsec_"


class WebhookRefused(LongplayError):
    """The request is not from the deployment, or is too old: answer it with 400."""


def verify_webhook(body: bytes, headers: Mapping[str, str], secret: str, *, now: float | None = None) -> dict[str, Any]:
    """The event in the body of a request, after its signature is checked; raises WebhookRefused.

    `body` is the body as it came, before it is parsed. `secret` begins with `whsec_`. `now` is in epoch seconds.
    """
    sent = {name.lower(): value for name, value in headers.items()}
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        webhook_id, timestamp, signatures = (sent[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        age = abs((time.time() if now is None else now) - int(timestamp))
    except (binascii.Error, KeyError, ValueError) as error:
        raise WebhookRefused(f"A header of the webhook, or the secret, cannot be read: {error}.") from error
    if age > TOLERANCE:
        raise WebhookRefused(f"The webhook was signed {age:.0f} s ago, or the clock is wrong.")
    digest = hmac.new(key, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(digest)
    # while a secret is renewed, there is a signature by each
    if not any(hmac.compare_digest(expected, each.encode()) for each in signatures.split()):
        raise WebhookRefused("The signature does not fit: the secret is another one, or the body was changed.")
    event: dict[str, Any] = msgspec.json.decode(body)
    return event
