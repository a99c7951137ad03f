"""Asking Hugging Face's partners by a reference: every end, and what may go wrong with the asking."""

import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.protocol import Done, PollError

from tests.providers.routed_calls import CONTRACTS, POLLED, failure

BILLED = {Charged.NO: (0,), Charged.UNKNOWN: (0, 1), Charged.YES: (1,)}


class TestAGenerationThatFails:
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
    def test_says_why_and_never_belies_the_bill(self, routed, hub, name, fate, kind):
        hub.fault(fate)
        error = failure(*routed(name))
        assert error.kind is kind
        assert hub.generations in BILLED[error.charged]

    def test_at_fal_by_its_input_may_be_billed(self, routed, hub):
        hub.fault("refused")
        error = failure(*routed("fal image"))
        assert (error.kind, error.charged) == (FailureKind.BAD_INPUT, Charged.UNKNOWN)
        assert "longer than the model takes" in error.message

    def test_at_fals_checker_is_billed_and_never_kept(self, routed, hub):
        hub.fault("unsafe")
        error = failure(*routed("fal image"))
        assert (error.kind, error.charged) == (FailureKind.MODERATED, Charged.YES)

    @pytest.mark.parametrize("name", POLLED)
    def test_to_be_known_any_more_may_have_cost_something(self, routed, hub, name):
        """Its result has expired."""
        provider, asked = routed(name)
        ref = provider.submit(asked).ref
        hub.forget(hub.made[0].id)
        with pytest.raises(ProviderError) as caught:
            provider.poll(ref, asked)
        assert (caught.value.kind, caught.value.charged) == (FailureKind.BAD_OUTPUT, Charged.UNKNOWN)
        assert "does not know" in caught.value.message

    def test_at_fal_to_be_kept_may_have_cost_something(self, routed, hub):
        """It is completed, but its result is not there any more."""
        provider, asked = routed("fal image")
        ref = provider.submit(asked).ref
        hub.finish(hub.made[0].id)
        hub.fault("missing", at="result")
        with pytest.raises(ProviderError) as caught:
            provider.poll(ref, asked)
        assert (caught.value.kind, caught.value.charged) == (FailureKind.BAD_OUTPUT, Charged.UNKNOWN)


class TestAPoll:
    @pytest.mark.parametrize("name", CONTRACTS)
    @pytest.mark.parametrize(
        "fault",
        ["unauthorized", "credits", "throttled", "server_error", "html", "error_200", "not_json", "redirect", "drop"],
    )
    def test_that_fails_says_nothing_of_the_generation(self, routed, hub, name, fault):
        provider, asked = routed(name)
        ref = provider.submit(asked).ref
        hub.fault(fault, at="poll")
        with pytest.raises(PollError):
            provider.poll(ref, asked)
        provider.poll(ref, asked)
        assert isinstance(provider.poll(ref, asked), Done)

    @pytest.mark.parametrize(
        "fault", ["server_error", "html", "throttled", "credits", "not_supported", "drop", "not_json"]
    )
    def test_of_fals_result_that_fails_says_nothing_of_it(self, routed, hub, fault):
        """The status was read, but the result was not."""
        provider, asked = routed("fal image")
        ref = provider.submit(asked).ref
        provider.poll(ref, asked)
        hub.fault(fault, at="result")
        with pytest.raises(PollError):
            provider.poll(ref, asked)
        assert isinstance(provider.poll(ref, asked), Done)

    @pytest.mark.parametrize("name", CONTRACTS)
    @pytest.mark.parametrize("fault", ["missing", "forbidden", "server_error", "throttled"])
    def test_whose_file_cannot_be_fetched_is_made_again(self, routed, hub, name, fault):
        provider, asked = routed(name)
        ref = provider.submit(asked).ref
        hub.finish(hub.made[0].id)
        hub.fault(fault, at="file")
        with pytest.raises(PollError):
            provider.poll(ref, asked)
        assert isinstance(provider.poll(ref, asked), Done)

    @pytest.mark.parametrize("name", CONTRACTS)
    def test_outlives_a_token_that_is_taken_away(self, routed, tokens, name):
        provider, _ = routed(name)
        tokens.clear()
        _, asked = routed(name, url="https://router.huggingface.co")
        with pytest.raises(PollError) as caught:
            provider.poll("gm3qorzdhgbfurvjtvhg6dckhu", asked)
        assert caught.value.error.kind is FailureKind.NO_TOKEN

    @pytest.mark.parametrize("name", CONTRACTS)
    def test_has_an_end(self, routed, hub, name):
        provider, asked = routed(name, timeout=0.3)
        ref = provider.submit(routed(name)[1]).ref
        hub.fault("slow", at="poll", seconds=30)
        with pytest.raises(PollError) as caught:
            provider.poll(ref, asked)
        assert caught.value.error.kind is FailureKind.TIMEOUT


class TestCanceling:
    @pytest.mark.parametrize("name", POLLED)
    def test_asks_nothing_of_anybody(self, routed, hub, name):
        provider, asked = routed(name)
        provider.cancel("gm3qorzdhgbfurvjtvhg6dckhu", asked)
        assert hub.requests == []

    @pytest.mark.parametrize("name", POLLED)
    def test_and_calling_back_are_not_known_through_the_router(self, routed, name):
        assert routed(name)[0].reference_in(b'{"id": "gm3qorzdhgbfurvjtvhg6dckhu"}') is None
