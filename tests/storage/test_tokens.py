"""The providers' tokens as the generator reads them from the one secret."""

import json

import boto3
import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.storage.tokens import SECONDS_KEPT, ProviderTokens
from moto import mock_aws

SECRET = "longplay/provider-tokens"


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def secrets(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-west-1")
        client.create_secret(Name=SECRET, SecretString="{}")
        yield client


@pytest.fixture
def store(secrets):
    def put(value):
        text = value if isinstance(value, str) else json.dumps(value)
        secrets.put_secret_value(SecretId=SECRET, SecretString=text)

    return put


@pytest.fixture
def tokens(secrets, clock):
    return ProviderTokens(secrets, SECRET, clock=clock)


def test_a_secret_as_it_is_deployed_holds_no_token(tokens):
    assert tokens.get("huggingface") is None


def test_a_token_is_found_by_its_name(tokens, store):
    store({"huggingface": "hf_1", "self_hosted": "s"})
    assert (tokens.get("huggingface"), tokens.get("self_hosted")) == ("hf_1", "s")


@pytest.mark.parametrize("stored", [" hf_1\r\n", "\thf_1 "])
def test_a_pasted_line_break_does_no_harm(tokens, store, stored):
    store({"huggingface": stored})
    assert tokens.get("huggingface") == "hf_1"


@pytest.mark.parametrize("stored", [None, "", " \n"])
def test_an_empty_token_is_none(tokens, store, stored):
    store({"huggingface": stored})
    assert tokens.get("huggingface") is None


def test_a_rotated_token_is_used_within_minutes(tokens, store, clock):
    store({"huggingface": "hf_1"})
    tokens.get("huggingface")
    store({"huggingface": "hf_2"})
    assert tokens.get("huggingface") == "hf_1"
    clock.now += SECONDS_KEPT
    assert tokens.get("huggingface") == "hf_2"


def test_a_refused_token_is_read_anew_at_once(tokens, store):
    store({"huggingface": "hf_1"})
    tokens.get("huggingface")
    store({"huggingface": "hf_2"})
    tokens.forget()
    assert tokens.get("huggingface") == "hf_2"


@pytest.mark.parametrize("secret", ["hf_secret", '{"huggingface": hf_secret}', '["hf_secret"]', "[" * 10_000])
def test_a_secret_that_is_no_object_is_said_and_not_quoted(tokens, store, secret):
    store(secret)
    assert_unusable(tokens, "store the tokens anew")


@pytest.mark.parametrize("stored", ["hf_secret\nX-Other: 1", "hf_secret\x00", "hf_secret é", ["hf_secret"], 7])
def test_a_token_that_no_header_can_carry_is_said_and_not_quoted(tokens, store, stored):
    store({"huggingface": stored})
    assert_unusable(tokens, "store it anew with `make token PROVIDER=huggingface`")


def assert_unusable(tokens, advice):
    with pytest.raises(ProviderError) as caught:
        tokens.get("huggingface")
    assert (caught.value.kind, caught.value.charged) == (FailureKind.NO_TOKEN, Charged.NO)
    assert advice in caught.value.message
    assert "hf_secret" not in repr((caught.value, caught.value.__cause__))


def test_a_secret_that_cannot_be_read_costs_nothing_and_may_pass(secrets, clock):
    tokens = ProviderTokens(secrets, "another", clock=clock)
    with pytest.raises(ProviderError) as caught:
        tokens.get("huggingface")
    assert (caught.value.kind, caught.value.charged) == (FailureKind.UNREACHABLE, Charged.NO)
    assert "ResourceNotFoundException" in caught.value.message
