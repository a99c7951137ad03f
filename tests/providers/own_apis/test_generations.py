"""Providers with an API of their own against their stand-ins: every state and failure, and what each may have cost."""

import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers import downloads
from longplay.providers.protocol import Accepted, Done, PolledProvider, PollError
from longplay.providers.references import LATER, SAFETY_NET, SOON

from tests.providers.own_apis.steps import facts, failure, settle
from tests.providers.own_apis.table import each

BILLED = {Charged.NO: (0,), Charged.UNKNOWN: (0, 1), Charged.YES: (1,)}


class TestAGeneration:
    @pytest.mark.parametrize(("own", "name", "content_type"), each(lambda own: own.kinds.items()))
    def test_of_each_kind_is_referred_to_and_then_fetched(self, provider, stand_in, order, name, content_type):
        asked = order(name)
        accepted = provider.submit(asked)
        done = settle(provider, accepted.ref, asked)
        [made] = stand_in.made
        assert [file.content_type for file in done.files] == [content_type]
        assert done.files[0].path.read_bytes() == made.files[0].content
        assert (accepted.request_id, done.request_id) == (made.id, made.id)
        assert stand_in.generations == 1

    def test_is_accepted_before_its_first_poll_and_while_it_works(self, provider, asked):
        accepted = provider.submit(asked)
        assert accepted.poll_after == SOON
        working = provider.poll(accepted.ref, asked)
        assert working == Accepted(ref=accepted.ref, poll_after=LATER, request_id=accepted.request_id)
        assert isinstance(provider.poll(accepted.ref, asked), Done)

    def test_is_never_waited_for(self, provider, stand_in, asked):
        provider.submit(asked)
        assert "prefer" not in stand_in.requests[0].headers

    def test_may_be_fetched_twice(self, provider, asked):
        ref = provider.submit(asked).ref
        assert settle(provider, ref, asked).files == settle(provider, ref, asked).files

    def test_is_one_a_poll_can_follow(self, provider):
        assert isinstance(provider, PolledProvider)

    @pytest.mark.parametrize(("own", "fate", "kind", "charged", "said"), each(lambda own: own.ends))
    def test_that_ends_without_a_file_says_why_and_what_it_cost(
        self, provider, stand_in, asked, fate, kind, charged, said
    ):
        stand_in.fault(fate)
        error = failure(provider, asked)
        assert facts(error) == (kind, charged)
        assert said in error.message
        assert stand_in.generations in BILLED[charged]

    def test_that_is_not_known_any_more_may_have_cost_something(self, own, provider, asked):
        with pytest.raises(ProviderError) as caught:
            provider.poll(own.id, asked)
        assert facts(caught.value) == (FailureKind.UPSTREAM, Charged.UNKNOWN)
        assert "another account" in caught.value.message

    @pytest.mark.parametrize(
        ("own", "fault", "kind", "stage"),
        each(lambda own: [(*poll, stage) for stage in own.stages for poll in own.failing_polls]),
    )
    def test_outlives_a_poll_that_fails(self, provider, stand_in, asked, fault, kind, stage):
        ref = provider.submit(asked).ref
        stand_in.finish(stand_in.made[0].id)
        stand_in.fault(fault, at=stage)
        with pytest.raises(PollError) as caught:
            provider.poll(ref, asked)
        assert caught.value.error.kind is kind
        assert isinstance(settle(provider, ref, asked), Done)

    def test_outlives_a_token_that_is_taken_away(self, own, tmp_path):
        tokenless = own.adapter({}.get, forget_tokens=lambda: None)
        with pytest.raises(PollError) as caught:
            tokenless.poll(own.id, own.call("music", f"https://{own.host}", tmp_path))
        assert caught.value.error.kind is FailureKind.NO_TOKEN


class TestACallback:
    def test_is_asked_for_and_polls_become_a_safety_net(self, own, provider, stand_in, order):
        asked = order("music", callback_url=own.callback)
        accepted = provider.submit(asked)
        assert stand_in.made[0].webhook == own.callback
        assert (accepted.poll_after, provider.poll(accepted.ref, asked).poll_after) == (SAFETY_NET, SAFETY_NET)

    @pytest.mark.parametrize(("url", "wanted"), [("http://api.example.com/x", True), ("ftp://x", False), (None, False)])
    def test_goes_over_https_or_what_a_server_on_this_machine_is_called_by(
        self, provider, stand_in, order, url, wanted
    ):
        provider.submit(order("music", callback_url=url))
        assert (stand_in.made[0].webhook is not None) == wanted

    @pytest.mark.parametrize(("own", "name"), each(lambda own: [(name,) for name in own.kinds]))
    def test_names_its_generation_which_is_polled_as_well_by_that_name(self, own, provider, stand_in, order, name):
        asked = order(name, callback_url=own.callback)
        provider.submit(asked)
        stand_in.finish(stand_in.made[0].id)
        ref = provider.reference_in(stand_in.callback(stand_in.made[0].id).body)
        assert ref == stand_in.made[0].id
        assert isinstance(provider.poll(ref, asked), Done)

    def test_of_a_failure_names_its_generation_too(self, own, provider, stand_in, order):
        stand_in.fault("failed")
        provider.submit(order("music", callback_url=own.callback))
        stand_in.finish(stand_in.made[0].id)
        assert provider.reference_in(stand_in.callback(stand_in.made[0].id).body) == stand_in.made[0].id


class TestARefusedOrder:
    @pytest.mark.parametrize(("own", "fault", "details", "kind", "charged", "said"), each(lambda own: own.refusals))
    def test_has_its_kind_and_never_belies_the_bill(
        self, provider, stand_in, order, fault, details, kind, charged, said
    ):
        stand_in.fault(fault, **details)
        with pytest.raises(ProviderError) as caught:
            provider.submit(order("music", timeout=0.3 if fault == "slow" else 5.0))
        assert facts(caught.value) == (kind, charged)
        assert said in caught.value.message
        assert stand_in.generations in BILLED[charged]

    @pytest.mark.parametrize(("own", "retry_after", "seconds"), each(lambda own: own.throttled))
    def test_says_when_to_come_back(self, provider, stand_in, asked, retry_after, seconds):
        stand_in.fault("throttled", retry_after=retry_after)
        assert failure(provider, asked).retry_after == seconds

    def test_for_its_token_has_the_token_read_anew(self, provider, stand_in, asked, tokens):
        stand_in.fault("unauthorized")
        failure(provider, asked)
        assert tokens.forgotten == 1


class TestADownload:
    @pytest.mark.parametrize("fault", ["missing", "forbidden", "server_error", "throttled", "drop", "cut"])
    def test_that_fails_is_made_again_at_the_next_poll(self, provider, stand_in, asked, fault):
        ref = provider.submit(asked).ref
        stand_in.finish(stand_in.made[0].id)
        stand_in.fault(fault, at="file", times=None, after=0)
        with pytest.raises(PollError):
            provider.poll(ref, asked)
        stand_in.faults.clear()
        assert isinstance(provider.poll(ref, asked), Done)

    @pytest.mark.parametrize(
        ("fault", "said"), [("redirect", "redirects are not followed"), ("page", "not an image, audio or video")]
    )
    def test_that_is_no_media_is_paid_for_in_vain(self, provider, stand_in, asked, fault, said):
        stand_in.fault(fault, at="file")
        error = failure(provider, asked)
        assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)
        assert said in error.message

    def test_of_another_kind_than_was_asked_for_is_of_no_use(self, provider, order):
        error = failure(provider, order("flux", kind="music"))
        assert "it sent image/png instead of music" in error.message

    def test_has_an_end(self, provider, stand_in, asked, monkeypatch):
        monkeypatch.setattr(downloads, "LARGEST_RESULT", 100_000)
        stand_in.fault("large", bytes=200_000)
        error = failure(provider, asked)
        assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)
        assert "more than 100,000 bytes" in error.message

    def test_never_carries_the_token(self, provider, stand_in, asked):
        settle(provider, provider.submit(asked).ref, asked)
        carried = [(exchange.path.split("/")[1], "authorization" in exchange.headers) for exchange in stand_in.requests]
        assert {bare for part, bare in carried if part == "delivery"} == {False}
        assert {bare for part, bare in carried if part != "delivery"} == {True}


class TestCanceling:
    def test_takes_what_waits_out_of_the_queue(self, provider, stand_in, asked):
        ref = provider.submit(asked).ref
        provider.cancel(ref, asked)
        assert stand_in.made[0].canceled
        assert stand_in.generations == 0

    def test_stops_what_runs(self, provider, asked):
        ref = provider.submit(asked).ref
        provider.poll(ref, asked)
        provider.cancel(ref, asked)
        with pytest.raises(ProviderError, match="canceled at") as caught:
            provider.poll(ref, asked)
        assert facts(caught.value) == (FailureKind.UPSTREAM, Charged.UNKNOWN)

    def test_leaves_what_is_over_as_it_is(self, provider, stand_in, asked):
        ref = provider.submit(asked).ref
        stand_in.finish(stand_in.made[0].id)
        provider.cancel(ref, asked)
        assert isinstance(provider.poll(ref, asked), Done)

    def test_of_nothing_is_no_failure(self, own, provider, asked):
        provider.cancel(own.id, asked)

    @pytest.mark.parametrize("fault", ["unauthorized", "throttled", "server_error", "drop"])
    def test_may_fail(self, provider, stand_in, asked, fault):
        ref = provider.submit(asked).ref
        stand_in.fault(fault, at="cancel")
        with pytest.raises(PollError):
            provider.cancel(ref, asked)
