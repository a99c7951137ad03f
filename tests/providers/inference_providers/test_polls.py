"""Polls at Hugging Face's routed providers: every end of a generation, and every failure of a poll."""

from __future__ import annotations

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.protocol import Done, PollError

from local.stand_ins.hub import HubServer
from tests.providers.failures import BILLED, facts, poll_failure, raised
from tests.providers.inference_providers.calls import CONTRACTS, ID, POLLED, Polled, Routed
from tests.providers.polling import accepted, generation_failure
from tests.providers.tokens import Tokens


@pytest.mark.parametrize("name", CONTRACTS)
@pytest.mark.parametrize(
    ("fate", "kind"),
    [
        ("failed", FailureKind.UPSTREAM),
        ("moderated", FailureKind.MODERATED),
        ("out_of_memory", FailureKind.OUT_OF_MEMORY),
        ("no_output", FailureKind.BAD_OUTPUT),
        ("foreign_file", FailureKind.BAD_OUTPUT),
        ("lookalike_file", FailureKind.BAD_OUTPUT),
        ("insecure_file", FailureKind.BAD_OUTPUT),
    ],
)
def test_a_failed_generation_has_its_kind_and_charge(
    routed: Routed, hub: HubServer, name: str, fate: str, kind: FailureKind
) -> None:
    """Each failure has its kind, and a charge that agrees with the stand-in's count."""
    hub.fault(fate)
    error = generation_failure(*routed(name))
    assert error.kind is kind
    assert hub.generations in BILLED[error.charged]


def test_an_input_that_fal_rejects_may_be_charged(routed: Routed, hub: HubServer) -> None:
    """An input that fal's model rejects is BAD_INPUT, quoted, and may have been charged."""
    hub.fault("refused")
    error = generation_failure(*routed("fal image"))
    assert facts(error) == (FailureKind.BAD_INPUT, Charged.UNKNOWN)
    assert "longer than the model takes" in error.message


def test_an_image_that_fal_blackened_is_charged(routed: Routed, hub: HubServer) -> None:
    """An image that fal's safety checker made black is MODERATED, and was charged."""
    hub.fault("unsafe")
    error = generation_failure(*routed("fal image"))
    assert facts(error) == (FailureKind.MODERATED, Charged.YES)


@pytest.mark.parametrize("name", POLLED)
def test_an_expired_result_may_be_charged(polled: Polled, hub: HubServer, name: str) -> None:
    """A generation whose result has expired is BAD_OUTPUT, and may have been charged."""
    provider, asked = polled(name)
    ref = accepted(provider, asked).ref
    hub.forget(hub.made[0].id)
    error = raised(provider.poll, ref, asked)
    assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.UNKNOWN)
    assert "know" in error.message


def test_a_completed_request_without_a_result_may_be_charged(polled: Polled, hub: HubServer) -> None:
    """A request that fal completed but whose result is gone is BAD_OUTPUT, and may have been charged."""
    provider, asked = polled("fal image")
    ref = accepted(provider, asked).ref
    hub.finish(hub.made[0].id)
    hub.fault("missing", at="result")
    error = raised(provider.poll, ref, asked)
    assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.UNKNOWN)


@pytest.mark.parametrize("name", CONTRACTS)
@pytest.mark.parametrize(
    "fault",
    ["unauthorized", "credits", "throttled", "server_error", "html", "error_200", "not_json", "redirect", "drop"],
)
def test_a_failed_poll_does_not_fail_the_generation(polled: Polled, hub: HubServer, name: str, fault: str) -> None:
    """After a failed poll, the next polls find the generation and its result."""
    provider, asked = polled(name)
    ref = accepted(provider, asked).ref
    hub.fault(fault, at="poll")
    with pytest.raises(PollError):
        provider.poll(ref, asked)
    provider.poll(ref, asked)
    assert isinstance(provider.poll(ref, asked), Done)


@pytest.mark.parametrize("fault", ["server_error", "html", "throttled", "credits", "not_supported", "drop", "not_json"])
def test_a_failed_read_of_fals_result_is_repeated(polled: Polled, hub: HubServer, fault: str) -> None:
    """If fal's status was read but the result was not, the next poll reads it."""
    provider, asked = polled("fal image")
    ref = accepted(provider, asked).ref
    provider.poll(ref, asked)
    hub.fault(fault, at="result")
    with pytest.raises(PollError):
        provider.poll(ref, asked)
    assert isinstance(provider.poll(ref, asked), Done)


@pytest.mark.parametrize("name", CONTRACTS)
@pytest.mark.parametrize("fault", ["missing", "forbidden", "server_error", "throttled"])
def test_a_failed_download_is_repeated(polled: Polled, hub: HubServer, name: str, fault: str) -> None:
    """If the file cannot be fetched, the next poll fetches it."""
    provider, asked = polled(name)
    ref = accepted(provider, asked).ref
    hub.finish(hub.made[0].id)
    hub.fault(fault, at="file")
    with pytest.raises(PollError):
        provider.poll(ref, asked)
    assert isinstance(provider.poll(ref, asked), Done)


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_poll_without_a_token_does_not_fail_the_generation(polled: Polled, tokens: Tokens, name: str) -> None:
    """A poll without a stored token is a PollError with the kind NO_TOKEN."""
    provider, _ = polled(name)
    tokens.clear()
    _, asked = polled(name, url="https://router.huggingface.co")
    error = poll_failure(provider.poll, ID, asked)
    assert error.kind is FailureKind.NO_TOKEN


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_slow_poll_is_stopped(polled: Polled, hub: HubServer, name: str) -> None:
    """A poll that takes longer than the call's timeout is a PollError with the kind TIMEOUT."""
    provider, asked = polled(name, timeout=0.3)
    ref = accepted(provider, polled(name)[1]).ref
    hub.fault("slow", at="poll", seconds=30)
    error = poll_failure(provider.poll, ref, asked)
    assert error.kind is FailureKind.TIMEOUT


@pytest.mark.parametrize("name", POLLED)
def test_canceling_sends_no_request(polled: Polled, hub: HubServer, name: str) -> None:
    """Canceling sends no request: through the router there is no call for it."""
    provider, asked = polled(name)
    provider.cancel(ID, asked)
    assert hub.requests == []


@pytest.mark.parametrize("name", POLLED)
def test_there_are_no_callbacks_through_the_router(polled: Polled, name: str) -> None:
    """No callback body names a generation: the router sends no callbacks."""
    assert polled(name)[0].reference_in(b'{"id": "gm3qorzdhgbfurvjtvhg6dckhu"}') is None
