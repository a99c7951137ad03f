"""Generations at the providers with their own API: each state, each failure, and the charge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers import downloads
from longplay.providers.protocol import Accepted, Call, Done, PolledProvider, PollError
from longplay.providers.references import LATER, SAFETY_NET, SOON

from tests.providers.failures import BILLED, facts, poll_failure, raised
from tests.providers.own_apis.table import Order, OwnApi, OwnProvider, OwnStandIn, each
from tests.providers.polling import generation_failure, poll_to_end
from tests.providers.tokens import Tokens


@pytest.mark.parametrize(("own", "name", "content_type"), each(lambda own: own.kinds.items()))
def test_each_kind_is_generated_and_fetched(
    provider: OwnProvider, stand_in: OwnStandIn, order: Order, name: str, content_type: str
) -> None:
    """Each kind returns a reference, then the file in its type, and one generation is billed."""
    asked = order(name)
    accepted = provider.submit(asked)
    done = poll_to_end(provider, accepted.ref, asked)
    [made] = stand_in.made
    assert [file.content_type for file in done.files] == [content_type]
    assert done.files[0].path.read_bytes() == made.files[0].content
    assert (accepted.request_id, done.request_id) == (made.id, made.id)
    assert stand_in.generations == 1


def test_a_running_generation_is_polled_again(provider: OwnProvider, asked: Call) -> None:
    """The first poll is due soon, later ones less often, until the result."""
    accepted = provider.submit(asked)
    assert accepted.poll_after == SOON
    working = provider.poll(accepted.ref, asked)
    assert working == Accepted(ref=accepted.ref, poll_after=LATER, request_id=accepted.request_id)
    assert isinstance(provider.poll(accepted.ref, asked), Done)


def test_no_order_asks_to_wait(provider: OwnProvider, stand_in: OwnStandIn, asked: Call) -> None:
    """An order does not ask the provider to keep the connection open."""
    provider.submit(asked)
    assert "prefer" not in stand_in.requests[0].headers


def test_a_result_can_be_fetched_twice(provider: OwnProvider, asked: Call) -> None:
    """A second poll after the end returns the same files."""
    ref = provider.submit(asked).ref
    assert poll_to_end(provider, ref, asked).files == poll_to_end(provider, ref, asked).files


def test_the_provider_can_be_polled(provider: OwnProvider) -> None:
    """The provider is one that the engine polls."""
    assert isinstance(provider, PolledProvider)


@pytest.mark.parametrize(("own", "fate", "kind", "charged", "said"), each(lambda own: own.ends))
def test_each_end_without_a_file_has_its_kind_and_charge(
    provider: OwnProvider, stand_in: OwnStandIn, asked: Call, fate: str, kind: FailureKind, charged: Charged, said: str
) -> None:
    """Each end without a file has its kind, its advice, and a charge that agrees with the stand-in's count."""
    stand_in.fault(fate)
    error = generation_failure(provider, asked)
    assert facts(error) == (kind, charged)
    assert said in error.message
    assert stand_in.generations in BILLED[charged]


def test_an_unknown_generation_may_be_charged(own: OwnApi, provider: OwnProvider, asked: Call) -> None:
    """A generation that the provider does not know is UPSTREAM, and may have been charged."""
    error = raised(provider.poll, own.id, asked)
    assert facts(error) == (FailureKind.UPSTREAM, Charged.UNKNOWN)
    assert "another account" in error.message


@pytest.mark.parametrize(
    ("own", "fault", "kind", "stage"),
    each(lambda own: [(*poll, stage) for stage in own.stages for poll in own.failing_polls]),
)
def test_a_failed_poll_does_not_fail_the_generation(
    provider: OwnProvider, stand_in: OwnStandIn, asked: Call, fault: str, kind: FailureKind, stage: str
) -> None:
    """After a failed poll, in each of its stages, the next poll finds the result."""
    ref = provider.submit(asked).ref
    stand_in.finish(stand_in.made[0].id)
    stand_in.fault(fault, at=stage)
    error = poll_failure(provider.poll, ref, asked)
    assert error.kind is kind
    assert isinstance(poll_to_end(provider, ref, asked), Done)


def test_a_poll_without_a_token_does_not_fail_the_generation(own: OwnApi, tmp_path: Path) -> None:
    """A poll without a stored token is a PollError with the kind NO_TOKEN."""
    tokenless = own.adapter(Tokens().get, forget_tokens=lambda: None)
    error = poll_failure(tokenless.poll, own.id, own.call("music", f"https://{own.host}", tmp_path))
    assert error.kind is FailureKind.NO_TOKEN


def test_an_order_asks_for_a_callback(own: OwnApi, provider: OwnProvider, stand_in: OwnStandIn, order: Order) -> None:
    """An order with a callback address asks for the callback, and is polled only as a safety net."""
    asked = order("music", callback_url=own.callback)
    accepted = provider.submit(asked)
    assert stand_in.made[0].webhook == own.callback
    again = provider.poll(accepted.ref, asked)
    assert isinstance(again, Accepted)
    assert (accepted.poll_after, again.poll_after) == (SAFETY_NET, SAFETY_NET)


@pytest.mark.parametrize(("url", "wanted"), [("http://api.example.com/x", True), ("ftp://x", False), (None, False)])
def test_callbacks_use_https_or_this_machine(
    provider: OwnProvider, stand_in: OwnStandIn, order: Order, url: str | None, wanted: bool
) -> None:
    """A callback address is sent only if the called server could use it."""
    provider.submit(order("music", callback_url=url))
    assert (stand_in.made[0].webhook is not None) == wanted


@pytest.mark.parametrize(("own", "name"), each(lambda own: [(name,) for name in own.kinds]))
def test_a_callback_names_its_generation(
    own: OwnApi, provider: OwnProvider, stand_in: OwnStandIn, order: Order, name: str
) -> None:
    """The reference in a callback finds the generation, as the order's reference does."""
    asked = order(name, callback_url=own.callback)
    provider.submit(asked)
    stand_in.finish(stand_in.made[0].id)
    ref = provider.reference_in(stand_in.callback(stand_in.made[0].id).body)
    assert ref == stand_in.made[0].id
    assert isinstance(provider.poll(ref, asked), Done)


def test_a_callback_of_a_failure_names_its_generation(
    own: OwnApi, provider: OwnProvider, stand_in: OwnStandIn, order: Order
) -> None:
    """The callback of a failed generation names it too."""
    stand_in.fault("failed")
    provider.submit(order("music", callback_url=own.callback))
    stand_in.finish(stand_in.made[0].id)
    assert provider.reference_in(stand_in.callback(stand_in.made[0].id).body) == stand_in.made[0].id


@pytest.mark.parametrize(("own", "fault", "details", "kind", "charged", "said"), each(lambda own: own.refusals))
def test_a_refused_order_has_its_kind_and_charge(
    provider: OwnProvider,
    stand_in: OwnStandIn,
    order: Order,
    fault: str,
    details: dict[str, Any],
    kind: FailureKind,
    charged: Charged,
    said: str,
) -> None:
    """Each refusal has its kind, its advice, and a charge that agrees with the stand-in's count."""
    stand_in.fault(fault, **details)
    error = raised(provider.submit, order("music", timeout=0.3 if fault == "slow" else 5.0))
    assert facts(error) == (kind, charged)
    assert said in error.message
    assert stand_in.generations in BILLED[charged]


@pytest.mark.parametrize(("own", "retry_after", "seconds"), each(lambda own: own.throttled))
def test_a_throttled_order_has_a_wait(
    provider: OwnProvider, stand_in: OwnStandIn, asked: Call, retry_after: float | None, seconds: float | None
) -> None:
    """A throttled order waits as long as the provider asks, or as long as its documentation says."""
    stand_in.fault("throttled", retry_after=retry_after)
    assert generation_failure(provider, asked).retry_after == seconds


def test_a_refused_token_is_read_again(
    provider: OwnProvider, stand_in: OwnStandIn, asked: Call, tokens: Tokens
) -> None:
    """A refused token is forgotten, so that the next call reads it again."""
    stand_in.fault("unauthorized")
    generation_failure(provider, asked)
    assert tokens.forgotten == 1


@pytest.mark.parametrize("fault", ["missing", "forbidden", "server_error", "throttled", "drop", "cut"])
def test_a_failed_download_is_repeated(provider: OwnProvider, stand_in: OwnStandIn, asked: Call, fault: str) -> None:
    """If the file cannot be fetched, the next poll fetches it."""
    ref = provider.submit(asked).ref
    stand_in.finish(stand_in.made[0].id)
    stand_in.fault(fault, at="file", times=None, after=0)
    with pytest.raises(PollError):
        provider.poll(ref, asked)
    stand_in.faults.clear()
    assert isinstance(provider.poll(ref, asked), Done)


@pytest.mark.parametrize(("fault", "said"), [("redirect", "redirects"), ("page", "image")])
def test_a_file_that_is_no_media_is_bad_output(
    provider: OwnProvider, stand_in: OwnStandIn, asked: Call, fault: str, said: str
) -> None:
    """A file that is no media is BAD_OUTPUT, and was charged."""
    stand_in.fault(fault, at="file")
    error = generation_failure(provider, asked)
    assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)
    assert said in error.message


def test_a_file_of_another_kind_is_named(provider: OwnProvider, order: Order) -> None:
    """A file of another kind is a failure that names both kinds."""
    error = generation_failure(provider, order("flux", kind="music"))
    assert "image/png" in error.message
    assert "music" in error.message


def test_a_file_over_the_limit_is_bad_output(
    provider: OwnProvider, stand_in: OwnStandIn, asked: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file larger than the limit is BAD_OUTPUT, and was charged."""
    monkeypatch.setattr(downloads, "LARGEST_RESULT", 100_000)
    stand_in.fault("large", bytes=200_000)
    error = generation_failure(provider, asked)
    assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)
    assert "100,000 bytes" in error.message


def test_the_token_goes_to_the_api_and_not_to_files(provider: OwnProvider, stand_in: OwnStandIn, asked: Call) -> None:
    """Every request to the API carries the token, and no download does."""
    poll_to_end(provider, provider.submit(asked).ref, asked)
    carried = [(exchange.path.split("/")[1], "authorization" in exchange.headers) for exchange in stand_in.requests]
    assert {bare for part, bare in carried if part == "delivery"} == {False}
    assert {bare for part, bare in carried if part != "delivery"} == {True}


def test_canceling_removes_a_queued_generation(provider: OwnProvider, stand_in: OwnStandIn, asked: Call) -> None:
    """A queued generation that is canceled never runs and is not billed."""
    ref = provider.submit(asked).ref
    provider.cancel(ref, asked)
    assert stand_in.made[0].canceled
    assert stand_in.generations == 0


def test_canceling_stops_a_running_generation(provider: OwnProvider, asked: Call) -> None:
    """A running generation that is canceled is UPSTREAM, and may have been charged."""
    ref = provider.submit(asked).ref
    provider.poll(ref, asked)
    provider.cancel(ref, asked)
    error = raised(provider.poll, ref, asked)
    assert "canceled" in error.message
    assert facts(error) == (FailureKind.UPSTREAM, Charged.UNKNOWN)


def test_canceling_keeps_a_finished_result(provider: OwnProvider, stand_in: OwnStandIn, asked: Call) -> None:
    """A finished generation keeps its result when it is canceled."""
    ref = provider.submit(asked).ref
    stand_in.finish(stand_in.made[0].id)
    provider.cancel(ref, asked)
    assert isinstance(provider.poll(ref, asked), Done)


def test_canceling_an_unknown_generation_does_nothing(own: OwnApi, provider: OwnProvider, asked: Call) -> None:
    """Canceling a generation that the provider does not know raises nothing."""
    provider.cancel(own.id, asked)


@pytest.mark.parametrize("fault", ["unauthorized", "throttled", "server_error", "drop"])
def test_a_failed_cancel_is_a_poll_error(provider: OwnProvider, stand_in: OwnStandIn, asked: Call, fault: str) -> None:
    """A cancel that the provider refuses is a PollError."""
    ref = provider.submit(asked).ref
    stand_in.fault(fault, at="cancel")
    with pytest.raises(PollError):
        provider.cancel(ref, asked)
