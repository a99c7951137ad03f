"""The providers' tokens as the generator reads them from the one secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.storage.tokens import SECONDS_KEPT, ProviderTokens
from moto import mock_aws

SECRET = "longplay/provider-tokens"

Store = Callable[[object], None]


class Clock:
    """Returns `now`, in seconds."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until a test moves it."""
    return Clock()


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of Secrets Manager, with the secret as it is deployed."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-west-1")
        client.create_secret(Name=SECRET, SecretString="{}")
        yield client


@pytest.fixture
def store(secrets: Any) -> Store:
    """Replaces the content of the secret: text as it is, any other value as JSON."""

    def put(value: object) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        secrets.put_secret_value(SecretId=SECRET, SecretString=text)

    return put


@pytest.fixture
def tokens(secrets: Any, clock: Clock) -> ProviderTokens:
    """The tokens in that secret, as the generator reads them."""
    return ProviderTokens(secrets, SECRET, clock=clock)


def test_the_secret_as_it_is_deployed_contains_no_token(tokens: ProviderTokens) -> None:
    """A missing token is None, not an error."""
    assert tokens.get("huggingface") is None


def test_a_token_is_found_by_its_name(tokens: ProviderTokens, store: Store) -> None:
    """One secret contains the tokens of all providers."""
    store({"huggingface": "hf_1", "self_hosted": "s"})
    assert (tokens.get("huggingface"), tokens.get("self_hosted")) == ("hf_1", "s")


@pytest.mark.parametrize("stored", [" hf_1\r\n", "\thf_1 "])
def test_a_token_is_read_without_surrounding_white_space(tokens: ProviderTokens, store: Store, stored: Any) -> None:
    """A token is often pasted with a line break."""
    store({"huggingface": stored})
    assert tokens.get("huggingface") == "hf_1"


@pytest.mark.parametrize("stored", [None, "", " \n"])
def test_an_empty_token_counts_as_no_token(tokens: ProviderTokens, store: Store, stored: Any) -> None:
    """White space alone counts as empty."""
    store({"huggingface": stored})
    assert tokens.get("huggingface") is None


def test_a_rotated_token_is_used_within_minutes(tokens: ProviderTokens, store: Store, clock: Clock) -> None:
    """A token is read again once it is SECONDS_KEPT seconds old."""
    store({"huggingface": "hf_1"})
    tokens.get("huggingface")
    store({"huggingface": "hf_2"})
    assert tokens.get("huggingface") == "hf_1"
    clock.now += SECONDS_KEPT
    assert tokens.get("huggingface") == "hf_2"


def test_a_refused_token_is_read_again_at_once(tokens: ProviderTokens, store: Store) -> None:
    """After `forget`, the secret is read at the next call."""
    store({"huggingface": "hf_1"})
    tokens.get("huggingface")
    store({"huggingface": "hf_2"})
    tokens.forget()
    assert tokens.get("huggingface") == "hf_2"


@pytest.mark.parametrize("secret", ["hf_secret", '{"huggingface": hf_secret}', '["hf_secret"]', "[" * 10_000])
def test_a_secret_that_is_not_a_json_object_is_reported_without_its_content(
    tokens: ProviderTokens, store: Store, secret: str
) -> None:
    """The message says what to do and contains no token."""
    store(secret)
    assert_unusable(tokens)


@pytest.mark.parametrize("stored", ["hf_secret\nX-Other: 1", "hf_secret\x00", "hf_secret é", ["hf_secret"], 7])
def test_a_token_that_cannot_be_sent_in_a_header_is_reported_without_its_content(
    tokens: ProviderTokens, store: Store, stored: Any
) -> None:
    """The message says what to do and contains no token."""
    store({"huggingface": stored})
    assert_unusable(tokens)


def assert_unusable(tokens: ProviderTokens) -> None:
    """Asserts that reading fails with advice, at no charge and without quoting the token."""
    with pytest.raises(ProviderError) as caught:
        tokens.get("huggingface")
    assert (caught.value.kind, caught.value.charged) == (FailureKind.NO_TOKEN, Charged.NO)
    assert "`make token PROVIDER=huggingface`" in caught.value.message
    assert "hf_secret" not in repr((caught.value, caught.value.__cause__))


def test_a_secret_that_cannot_be_read_is_a_temporary_failure_without_charge(secrets: Any, clock: Clock) -> None:
    """The message names the error of Secrets Manager."""
    tokens = ProviderTokens(secrets, "another", clock=clock)
    with pytest.raises(ProviderError) as caught:
        tokens.get("huggingface")
    assert (caught.value.kind, caught.value.charged) == (FailureKind.UNREACHABLE, Charged.NO)
    assert "ResourceNotFoundException" in caught.value.message


def test_refreshed_tokens_are_there_without_another_read(tokens: ProviderTokens, store: Store) -> None:
    """A call that is due does not wait for the secret."""
    store({"huggingface": "hf_first"})
    tokens.refresh()
    store({"huggingface": "hf_second"})
    assert tokens.get("huggingface") == "hf_first"
