"""Addresses that lead into a private network, or nowhere, are refused before anything is sent."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from longplay.domain.hooks import Delivery
from longplay.http.webhooks.sending import Sender

from tests.harness.product import Answer, Product
from tests.providers.raw_server import RawServer

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


@pytest.mark.parametrize("private", [False, True])
def test_a_name_that_does_not_resolve_is_told_as_such(monkeypatch: pytest.MonkeyPatch, private: bool) -> None:
    """The caller learns that nothing was sent."""

    def resolve(*_: Any, **__: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    sent = Sender(private=private).send("https://gone.example.com/", "{}", webhook_id="x", secrets=["whsec_eA=="])
    assert (sent.status, sent.outcome) == (None, "The name does not resolve. Nothing was sent.")


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: "], ids=["silent", "slow"])
def test_an_answer_that_never_ends_is_not_heard(
    server: RawServer, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    """Headers that are cut off look complete to the HTTP client; the time is that of the whole exchange."""
    monkeypatch.setattr("longplay.http.webhooks.sending.LONGEST_DELIVERY", 0.3)
    server.drips(begun, b"x" if begun else b"")
    sent = _sent_to(server)
    assert (sent.status, sent.heard, sent.seconds < 3) == (None, False, True)


HOSTILE_ANSWERS = [
    (b"", None),
    (b"nonsense\r\n\r\n", None),
    (b"HTTP/1.1 999 \xff\r\n\r\n", 999),
    (b"HTTP/1.1 301 x\r\nLocation: \xff\xfe\r\n\r\n", 301),
    (b"HTTP/1.1 301 x\r\nLocation: http://[\r\n\r\n", 301),
    (b"HTTP/1.1 302 x\r\nLocation: " + b"a" * 60_000 + b"\r\n\r\n", 302),
    (b"HTTP/1.1 204 x\r\nLocation: " + b"a" * 70_000 + b"\r\n\r\n", None),
    (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5_000 + b"\r\n", None),
]


@pytest.mark.parametrize(("raw", "status"), HOSTILE_ANSWERS)
def test_a_hostile_answer_is_read_within_bounds(server: RawServer, raw: bytes, status: int | None) -> None:
    """An address that is none, an endless header, a hundred too many: an outcome that can be stored and shown."""
    server.script = lambda connection: connection.sendall(raw)
    sent = _sent_to(server)
    assert (sent.status, sent.heard) == (status, False)
    assert len(sent.outcome.encode()) < 1_000


def _sent_to(server: RawServer) -> Delivery:
    return Sender(private=True).send(server.url, "{}", webhook_id="x", secrets=["whsec_eA=="])
