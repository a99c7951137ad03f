"""Orders at the providers with their own API: how they are accepted, the token, and callback bodies."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError

from tests.providers.failures import facts, raised
from tests.providers.own_apis.table import OwnApi, OwnProvider, Submit, each
from tests.providers.raw_server import RawServer
from tests.providers.tokens import Tokens

Refusal = Callable[..., ProviderError]


@pytest.fixture
def refusal(submit: Submit) -> Refusal:
    """Submits a call and returns the failure it raises."""
    return partial(raised, submit)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_success_accepts_an_order(server: RawServer, submit: Submit, own: OwnApi, status: int) -> None:
    """An answer with status 200, 201 or 202 accepts the order, and its id is the reference."""
    server.says(status, own.taken)
    assert submit().ref == own.id


def test_an_unknown_style_is_not_sent(server: RawServer, refusal: Refusal, own: OwnApi) -> None:
    """A call in an unknown style is NOT_SERVED, names the known ones, and sends nothing."""
    refused = refusal(style="toolkit")
    assert facts(refused) == (FailureKind.NOT_SERVED, Charged.NO)
    assert own.styles in refused.message
    assert server.requests == []


def test_a_stand_in_gets_the_token(server: RawServer, submit: Submit, own: OwnApi) -> None:
    """A stand-in on this machine gets the stored token."""
    server.says(200, own.taken)
    submit()
    assert server.requests[0].headers["authorization"] == f"{own.scheme} {own.token}"


def test_a_stand_in_needs_no_token(server: RawServer, submit: Submit, own: OwnApi, tokens: Tokens) -> None:
    """A stand-in on this machine is called without a token if none is stored."""
    tokens.clear()
    server.says(200, own.taken)
    submit()
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("url", ["https://{}", "https://{}:443/"])
def test_a_missing_token_costs_nothing(refusal: Refusal, own: OwnApi, tokens: Tokens, url: str) -> None:
    """Without a stored token, a call to the provider's host is NO_TOKEN and costs nothing."""
    tokens.clear()
    refused = refusal(url=url.format(own.host.replace("api", "API").replace("queue", "QUEUE")))
    assert facts(refused) == (FailureKind.NO_TOKEN, Charged.NO)
    assert "no token" in refused.message


@pytest.mark.parametrize("host", ["localhost", "{}.localhost"])
def test_the_token_is_not_read_for_another_host(server: RawServer, own: OwnApi, tmp_path: Path, host: str) -> None:
    """For a host that is not the provider's, the token is not even read."""

    def read(_: str) -> str:
        raise AssertionError("the token was read")

    server.reads = False  # it could not read TLS
    provider = own.adapter(read, forget_tokens=lambda: None)
    with pytest.raises(ProviderError):
        provider.submit(own.call("music", f"https://{host.format(own.host)}:{server.port}", tmp_path, timeout=0.3))


def test_a_failure_does_not_contain_the_token(server: RawServer, refusal: Refusal, own: OwnApi) -> None:
    """A token that a server repeats is removed from the failure and its request id."""
    server.says(400, f'{{"detail": "bad {own.token}"}}'.encode(), {own.request_id: own.token})
    refused = refusal()
    assert not any(own.token in text for text in (refused.message, str(refused.request_id)))


@pytest.mark.parametrize(("own", "body"), each(lambda own: [(body,) for body in own.forged]))
def test_an_unusable_callback_names_nothing(provider: OwnProvider, body: bytes) -> None:
    """A callback body that is unreadable or forged names no generation."""
    assert provider.reference_in(body) is None
