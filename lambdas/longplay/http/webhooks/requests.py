"""Reads the request of a test, and makes the answers of tests and of renewed secrets."""

from __future__ import annotations

import secrets as random
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from longplay.domain.body import decode_body
from longplay.domain.errors import InvalidRequest
from longplay.domain.texts import shown
from longplay.domain.webhook_secrets import OVERLAP
from longplay.domain.webhook_urls import webhook_url
from longplay.http import documents
from longplay.http.documents import timestamp
from longplay.http.webhooks.log import delivery_view

if TYPE_CHECKING:
    from longplay.http.webhooks.sending import Sender


def url_to_test(body: bytes, *, private: bool) -> str:
    """The address in a JSON body `{"url": …}`; raises InvalidRequest or TooLarge."""
    fields = decode_body(body)
    url = fields.pop("url", None)
    for unknown in map(shown, fields):
        raise InvalidRequest(unknown, f"`{unknown}` is unknown; a test takes only `url`.", why="unknown")
    if url is None:
        raise InvalidRequest("url", "`url` is missing: the address that the test is sent to.", why="missing")
    return webhook_url("url", url, private=private)


def tested(url: str, sender: Sender, secrets: Sequence[str]) -> documents.WebhookTest:
    """Send a signed test once, and tell what came of it."""
    delivery = sender.send(url, _test_body(sender.clock()), webhook_id=f"test.{random.token_hex(8)}", secrets=secrets)
    return documents.WebhookTest(delivered=delivery.heard, delivery=delivery_view(delivery))


def renewed(secret: str, *, now: float) -> documents.WebhookSecret:
    """The answer with a new secret."""
    return documents.WebhookSecret(secret=secret, overlap_until=timestamp(now + OVERLAP))


def _test_body(now: float) -> str:
    return msgspec.json.encode({"type": "test", "timestamp": timestamp(now), "data": {}}).decode()
