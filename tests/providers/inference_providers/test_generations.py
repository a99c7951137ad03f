"""Generations at Hugging Face's routed providers: the result of each route, every refusal, and the charge."""

from __future__ import annotations

import re

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.protocol import Accepted, Done, PolledProvider
from longplay.providers.references import LATER, SOON

from local.stand_ins.hub import HubServer
from tests.providers.failures import BILLED, facts
from tests.providers.inference_providers.calls import CONNECTED, CONTRACTS, POLLED, ROUTES, Polled, Routed
from tests.providers.payloads import TOKEN
from tests.providers.polling import accepted, generate, generation_failure
from tests.providers.tokens import Tokens

TYPES = {"music": "audio/wav", "image": "image/png", "video": "video/mp4"}


@pytest.mark.parametrize("name", ROUTES)
def test_each_route_makes_one_generation(routed: Routed, hub: HubServer, name: str) -> None:
    """Each route returns the generated file in its type, and one generation was made."""
    provider, asked = routed(name)
    done = generate(provider, asked)
    assert done.files[0].path.read_bytes() == hub.made[0].file.content
    assert done.files[0].content_type == TYPES[asked.kind]
    assert hub.generations == 1


@pytest.mark.parametrize("name", POLLED)
def test_a_polled_route_answers_with_a_reference(polled: Polled, name: str) -> None:
    """A polled route returns a reference, keeps it while the generation runs, and then the result."""
    provider, asked = polled(name)
    first = accepted(provider, asked)
    again = provider.poll(first.ref, asked)
    assert isinstance(again, Accepted)
    assert (first.poll_after, again.poll_after, again.ref) == (SOON, LATER, first.ref)
    assert isinstance(provider.poll(first.ref, asked), Done)


@pytest.mark.parametrize("name", ROUTES)
def test_a_route_is_polled_or_keeps_the_connection(routed: Routed, name: str) -> None:
    """A route's provider can be polled exactly if it does not keep the connection open."""
    assert isinstance(routed(name)[0], PolledProvider) == (name in POLLED)


@pytest.mark.parametrize("name", POLLED)
def test_a_result_can_be_fetched_twice(polled: Polled, name: str) -> None:
    """A second poll after the end returns the same result."""
    provider, asked = polled(name)
    ref = accepted(provider, asked).ref
    provider.poll(ref, asked)
    assert provider.poll(ref, asked) == provider.poll(ref, asked)


@pytest.mark.parametrize("name", ROUTES)
def test_the_token_goes_to_the_router_and_not_to_files(routed: Routed, hub: HubServer, name: str) -> None:
    """Every request to the Hub and the router carries the token, and no download does."""
    generate(*routed(name))
    carried = {exchange.path.split("/")[1]: "authorization" in exchange.headers for exchange in hub.requests}
    assert carried.pop("delivery", False) is False
    assert set(carried.values()) == {True}


def test_replicate_can_answer_with_the_result_at_once(routed: Routed, hub: HubServer) -> None:
    """Replicate's first answer can contain the result, even while its status says "processing"."""
    hub.polls = 0
    provider, asked = routed("replicate image")
    done = provider.submit(asked)
    hub.polls = 1
    assert isinstance(done, Done)
    assert [exchange.method for exchange in hub.requests] == ["GET", "POST", "GET"]


def test_replicates_early_result_is_fetched_later_if_need_be(polled: Polled, hub: HubServer) -> None:
    """If the file of an early result cannot be fetched, the next poll fetches it."""
    hub.polls = 0
    hub.fault("server_error", at="file")
    provider, asked = polled("replicate image")
    first = accepted(provider, asked)
    hub.polls = 1
    assert isinstance(provider.poll(first.ref, asked), Done)
    assert hub.generations == 1


@pytest.mark.parametrize("name", [*CONTRACTS, *CONNECTED])
@pytest.mark.parametrize(
    ("fault", "kind", "charged", "said"),
    [
        ("unauthorized", FailureKind.AUTH, Charged.NO, "make token PROVIDER=huggingface"),
        ("credits", FailureKind.CREDITS, Charged.NO, "huggingface.co/settings/billing"),
        ("forbidden", FailureKind.AUTH, Charged.NO, "Make calls to Inference Providers"),
        ("missing", FailureKind.NOT_SERVED, Charged.NO, "another route"),
        ("not_supported", FailureKind.NOT_SERVED, Charged.NO, "another route"),
        ("gone", FailureKind.NOT_SERVED, Charged.NO, "another route"),
        ("invalid", FailureKind.BAD_INPUT, Charged.NO, "body.prompt: field required"),
        ("throttled", FailureKind.THROTTLED, Charged.NO, "rate limit"),
        ("redirect", FailureKind.NOT_SERVED, Charged.NO, "redirects"),
        ("server_error", FailureKind.UPSTREAM, Charged.UNKNOWN, "billed"),
        ("html", FailureKind.UPSTREAM, Charged.UNKNOWN, "HTML"),
        ("error_200", FailureKind.UPSTREAM, Charged.UNKNOWN, "Something went wrong"),
        ("drop", FailureKind.UPSTREAM, Charged.UNKNOWN, "billed"),
        ("cut", FailureKind.UPSTREAM, Charged.UNKNOWN, "billed"),
    ],
)
def test_a_refused_order_has_its_kind_and_charge(
    routed: Routed, hub: HubServer, name: str, fault: str, kind: FailureKind, charged: Charged, said: str
) -> None:
    """Each refusal has its kind, its advice, and a charge that agrees with the stand-in's count."""
    hub.fault(fault)
    error = generation_failure(*routed(name))
    assert facts(error) == (kind, charged)
    assert said in error.message
    assert TOKEN not in error.message
    assert hub.generations in BILLED[charged]


@pytest.mark.parametrize("name", CONTRACTS)
@pytest.mark.parametrize("fault", ["not_json", "nameless"])
def test_an_answer_without_a_reference_may_be_charged(routed: Routed, name: str, fault: str, hub: HubServer) -> None:
    """An accepted order without a reference is UPSTREAM, and may have been charged."""
    hub.fault(fault)
    error = generation_failure(*routed(name))
    assert facts(error) == (FailureKind.UPSTREAM, Charged.UNKNOWN)
    assert "no generation" in error.message


@pytest.mark.parametrize("name", CONNECTED)
@pytest.mark.parametrize("fault", ["not_json", "nameless"])
def test_an_answer_without_an_image_is_bad_output(routed: Routed, name: str, fault: str, hub: HubServer) -> None:
    """An answer without an image, where the connection is kept open, is BAD_OUTPUT."""
    hub.fault(fault)
    assert generation_failure(*routed(name)).kind is FailureKind.BAD_OUTPUT


@pytest.mark.parametrize("name", ["fal image", "nscale image"])
def test_the_mapping_and_the_order_share_one_time_limit(routed: Routed, hub: HubServer, name: str) -> None:
    """An order that is too slow is a TIMEOUT within what reading the mapping left of the time."""
    hub.fault("slow", seconds=30)
    error = generation_failure(*routed(name, timeout=1.0))
    assert facts(error) == (FailureKind.TIMEOUT, Charged.UNKNOWN)
    [seconds] = re.findall(r"([\d.]+) s\b", error.message)
    assert 0 < float(seconds) < 1


def test_a_throttled_order_has_the_wait_of_the_answer(routed: Routed, hub: HubServer) -> None:
    """A throttled order names the seconds that the partner asks to wait."""
    hub.fault("throttled", retry_after=40)
    assert generation_failure(*routed("nscale image")).retry_after == 40


@pytest.mark.parametrize("at", ["mapping", "create"])
@pytest.mark.parametrize("name", [*CONTRACTS, *CONNECTED])
def test_a_refused_token_is_read_again(routed: Routed, hub: HubServer, tokens: Tokens, name: str, at: str) -> None:
    """A token that the Hub or the router refuses is forgotten, once."""
    hub.fault("unauthorized", at=at)
    generation_failure(*routed(name))
    assert tokens.forgotten == 1


@pytest.mark.parametrize("name", ROUTES)
def test_the_router_needs_a_token(routed: Routed, tokens: Tokens, name: str) -> None:
    """Without a stored token the call is NO_TOKEN, free, and names the command that stores one."""
    tokens.clear()
    error = generation_failure(*routed(name, url="https://router.huggingface.co"))
    assert facts(error) == (FailureKind.NO_TOKEN, Charged.NO)
    assert "make token PROVIDER=huggingface" in error.message
