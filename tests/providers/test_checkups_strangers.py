"""Checkups with broken or hostile answers: they are only read, and no token goes to another host."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from longplay.domain.errors import FailureKind, ProviderError
from longplay.providers.checkups import examine
from longplay.providers.fal import checkup as fal
from longplay.providers.hugging_face import router_checkup
from longplay.providers.replicate import checkup as replicate

from tests.providers.checkup_visits import findings, visit
from tests.providers.raw_server import RawServer
from tests.providers.replicate.calls import FLUX

TOKEN = "r8_AbCdEfGh0123456789"
HF_TOKEN = "hf_AbCdEfGh0123456789"
HUB_MODEL = "black-forest-labs/FLUX.1-schnell"
VENDORS = [
    ("replicate", FLUX, {"replicate": TOKEN}),
    ("fal", "fal-ai/flux/schnell", {"fal": "key:secret"}),
    ("hf-fal-ai", HUB_MODEL, {"huggingface": HF_TOKEN}),
]


@pytest.mark.parametrize(("provider", "model", "tokens"), VENDORS, ids=lambda value: str(value)[:12])
def test_a_server_error_makes_the_finding_unknown(
    server: RawServer, tmp_path: Path, provider: str, model: str, tokens: Any
) -> None:
    """A server error makes the finding unknown."""
    server.says(500, b"<html>")
    found = findings(examine(visit(provider, model, server.url, tmp_path, **tokens)))
    assert (found["token"], found["accepted"], found["live"]) == ("yes", "unknown", "unknown")


@pytest.mark.parametrize(("provider", "model", "tokens"), VENDORS, ids=lambda value: str(value)[:12])
@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"{", b"[" * 100_000, b'{"auth": "\xff"}', b" " * 2_000_000])
def test_any_answer_leads_to_a_finding(
    server: RawServer, tmp_path: Path, provider: str, model: str, tokens: Any, body: bytes
) -> None:
    """Any answer leads to a finding."""
    server.says(200, body)
    assert "accepted" in examine(visit(provider, model, server.url, tmp_path, **tokens))


@pytest.mark.parametrize(("provider", "model", "tokens"), VENDORS, ids=lambda value: str(value)[:12])
def test_a_token_is_neither_in_the_findings_nor_in_the_log(
    server: RawServer, tmp_path: Path, caplog: Any, provider: str, model: str, tokens: Any
) -> None:
    """A token is neither in the findings nor in the log."""
    [token] = tokens.values()
    caplog.set_level(logging.DEBUG, "longplay")
    server.says(401, f"no such token: {token}".encode())
    one = visit(provider, model, server.url, tmp_path, **tokens)
    assert token not in repr((examine(one), caplog.text))


@pytest.mark.parametrize(
    ("checkups", "provider", "tokens"),
    [
        (replicate, "replicate", {"replicate": TOKEN}),
        (fal, "fal", {"fal": "key:secret"}),
        (router_checkup, "hf-fal-ai", {"huggingface": HF_TOKEN}),
    ],
    ids=lambda value: str(value)[:12],
)
@pytest.mark.parametrize("host", ["elsewhere.invalid", "huggingface.co.elsewhere.invalid", "api.replicate.com.invalid"])
def test_a_token_goes_only_to_the_hosts_of_its_provider(
    tmp_path: Path, checkups: Any, provider: str, tokens: Any, host: Any
) -> None:
    """A token goes only to the hosts of its provider."""
    assert checkups.credential(visit(provider, HUB_MODEL, f"https://{host}", tmp_path, **tokens)).token is None


def test_an_address_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    """An address that cannot be used is an error."""
    with pytest.raises(ProviderError) as caught:
        examine(visit("huggingface", HUB_MODEL, "http://gpu.example.com/", tmp_path))
    assert caught.value.kind is FailureKind.NOT_SERVED
