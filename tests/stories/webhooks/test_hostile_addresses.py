"""Addresses that lead into a private network, or nowhere, are refused before anything is sent."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from longplay.http.webhooks.sending import Sender

from tests.harness.product import Answer, Product

HOSTILE = (Path(__file__).parent / "hostile_addresses.txt").read_text().split()
SPACED = [
    "https://example.com/ x",
    " https://example.com/",
    "https://example.com/\nHost: x",
    "https://example.com/\t",
    "",
]
WRONG = [7, True, [], {}, "https://example.com/" + "a" * 2_000]


@pytest.mark.parametrize("url", [*HOSTILE, *SPACED, *WRONG])
def test_a_hostile_address_is_refused(deployed: Product, url: Any) -> None:
    """At the submission and at a test, with the field named."""
    for answer, field in _asked(deployed, url):
        _assert_refused(answer, field)


def _assert_refused(answer: Answer, field: str) -> None:
    assert answer.status == 400
    assert answer.json["field"] == field
    assert "Nothing was created" in answer.json["detail"] or answer.json["errors"][0]["code"] in (
        "wrong_type",
        "too_long",
    )


def _asked(product: Product, url: Any) -> list[tuple[Answer, str]]:
    return [
        (product.post("/generate", {"prompt": "sea", "webhook": url}), "webhook"),
        (product.post("/webhooks/test", {"url": url}), "url"),
    ]


PRIVATE = """
127.0.0.1 10.1.2.3 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 240.0.0.1 192.0.2.1
::1 :: ::ffff:10.0.0.1 ::7f00:1 fe80::1 fd00:ec2::254 64:ff9b::a00:1 2002:a00:1::
"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_a_name_that_leads_to_a_private_address_is_refused_at_connect(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """It is resolved once, and nothing is sent."""
    resolved: list[str] = []

    def resolve(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        resolved.append(host)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(*_: Any) -> None:
        raise AssertionError("connected")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    sent = Sender(private=False).send("https://rebinding.example.com/", "{}", webhook_id="x", secrets=["whsec_eA=="])
    assert (sent.status, "not public" in sent.outcome, resolved) == (None, True, ["rebinding.example.com"])


def test_a_public_name_is_taken(deployed: Product) -> None:
    """With a port, a path and a query."""
    taken = ["https://example.com", "https://hooks.example.com:443/a/b?c=d&e=%20", "https://xn--exmple-cua.com./x"]
    assert [deployed.post("/generate", {"prompt": url, "webhook": url}).status for url in taken] == [202] * len(taken)


def test_a_receiver_that_never_ends_its_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is that of the whole exchange."""
    monkeypatch.setattr("longplay.http.webhooks.sending.LONGEST_DELIVERY", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        sent = Sender(private=True).send(url, "{}", webhook_id="x", secrets=["whsec_eA=="])
    assert sent.status is None
    assert sent.seconds < 3
