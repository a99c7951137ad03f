"""fal's provider against the stand-in: every state, every failure, and what each may have cost."""

import pytest
from longplay.errors import Charged, FailureKind, ProviderError
from longplay.providers import downloads
from longplay.providers.fal.adapter import Fal
from longplay.providers.protocol import Accepted, Done, PolledProvider, PollError
from longplay.providers.references import LATER, SAFETY_NET, SOON

from local.fal_server import FalServer
from tests.providers.conftest import Tokens
from tests.providers.fal_calls import CALLBACK, TOKEN, call

BILLED = {Charged.NO: (0,), Charged.UNKNOWN: (0, 1), Charged.YES: (1,)}


@pytest.fixture(scope="module")
def shared_fal():
    with FalServer(quick=True, token=TOKEN) as server:
        yield server


@pytest.fixture
def fal(shared_fal):
    shared_fal.clear()
    return shared_fal


@pytest.fixture
def tokens():
    return Tokens(fal=TOKEN, huggingface="hf_AbCdEfGh0123456789")


@pytest.fixture
def provider(tokens):
    return Fal(tokens.get, forget_tokens=tokens.forget)


@pytest.fixture
def asked(fal, tmp_path):
    return call("music", fal.url, tmp_path)


def settle(provider, ref, asked):
    """Poll until there is an answer."""
    while isinstance(answer := provider.poll(ref, asked), Accepted):
        assert answer.ref == ref
    return answer


def failure(provider, asked, kind=ProviderError):
    """What submitting and polling to the end raises."""
    with pytest.raises(kind) as caught:
        settle(provider, provider.submit(asked).ref, asked)
    return caught.value


def facts(error):
    return error.kind, error.charged


class TestAGeneration:
    @pytest.mark.parametrize(
        ("name", "content_type"),
        [
            ("music", "audio/wav"),
            ("newer", "audio/wav"),
            ("flux", "image/png"),
            ("dev", "image/png"),
            ("image", "image/png"),
            ("film", "video/mp4"),
            ("animation", "video/mp4"),
        ],
    )
    def test_of_each_kind_is_referred_to_and_then_fetched(self, provider, fal, tmp_path, name, content_type):
        asked = call(name, fal.url, tmp_path)
        accepted = provider.submit(asked)
        done = settle(provider, accepted.ref, asked)
        assert [file.content_type for file in done.files] == [content_type]
        assert done.files[0].path.read_bytes() == fal.queue[0].files[0].content
        assert (accepted.request_id, done.request_id) == (fal.queue[0].id,) * 2
        assert fal.generations == 1

    def test_is_accepted_before_its_first_poll_and_while_it_works(self, provider, asked):
        accepted = provider.submit(asked)
        assert accepted.poll_after == SOON
        working = provider.poll(accepted.ref, asked)
        assert working == Accepted(ref=accepted.ref, poll_after=LATER, request_id=accepted.request_id)
        assert isinstance(provider.poll(accepted.ref, asked), Done)

    def test_is_asked_for_at_the_address_fal_named(self, provider, fal, asked):
        ref = provider.submit(asked).ref
        assert ref == f"fal-ai/stable-audio/requests/{fal.queue[0].id}"

    def test_tells_fal_when_it_need_not_begin_any_more(self, provider, fal, tmp_path):
        provider.submit(call("music", fal.url, tmp_path, ends_within=99.7))
        provider.submit(call("music", fal.url, tmp_path, ends_within=0.4))
        assert [request.deadline for request in fal.queue] == ["99", "2"]

    def test_may_be_fetched_twice(self, provider, asked):
        ref = provider.submit(asked).ref
        assert settle(provider, ref, asked).files == settle(provider, ref, asked).files

    def test_is_one_a_poll_can_follow(self, provider):
        assert isinstance(provider, PolledProvider)


class TestACallback:
    def test_is_asked_for_and_polls_become_a_safety_net(self, provider, fal, tmp_path):
        asked = call("music", fal.url, tmp_path, callback_url=CALLBACK)
        accepted = provider.submit(asked)
        assert fal.queue[0].webhook == CALLBACK
        assert (accepted.poll_after, provider.poll(accepted.ref, asked).poll_after) == (SAFETY_NET, SAFETY_NET)

    @pytest.mark.parametrize(("url", "wanted"), [("http://api.example.com/x", True), ("ftp://x", False), (None, False)])
    def test_goes_over_https_or_what_a_server_on_this_machine_is_called_by(self, provider, fal, tmp_path, url, wanted):
        provider.submit(call("music", fal.url, tmp_path, callback_url=url))
        assert (fal.queue[0].webhook is not None) == wanted

    @pytest.mark.parametrize("name", ["music", "flux", "newer", "film"])
    def test_names_its_request_which_is_polled_as_well_by_that_name(self, provider, fal, tmp_path, name):
        asked = call(name, fal.url, tmp_path, callback_url=CALLBACK)
        provider.submit(asked)
        fal.finish(fal.queue[0].id)
        ref = provider.reference_in(fal.callback(fal.queue[0].id).body)
        assert ref == fal.queue[0].id
        assert isinstance(provider.poll(ref, asked), Done)

    def test_of_a_failure_names_its_request_too(self, provider, fal, tmp_path):
        fal.fault("refused_input")
        provider.submit(call("music", fal.url, tmp_path, callback_url=CALLBACK))
        assert provider.reference_in(fal.callback(fal.queue[0].id).body) == fal.queue[0].id


class TestARefusedOrder:
    @pytest.mark.parametrize(
        ("fault", "details", "kind", "charged", "said"),
        [
            ("unauthorized", {}, FailureKind.AUTH, Charged.NO, "`make token PROVIDER=fal`"),
            ("credits", {}, FailureKind.CREDITS, Charged.NO, "fal.ai/dashboard/billing"),
            ("exhausted", {}, FailureKind.CREDITS, Charged.NO, "fal.ai/dashboard/billing"),
            ("locked", {}, FailureKind.AUTH, Charged.NO, "support@fal.ai"),
            ("forbidden", {}, FailureKind.FORBIDDEN, Charged.NO, "does not permit"),
            ("missing", {}, FailureKind.NOT_SERVED, Charged.NO, "models.toml"),
            ("invalid", {}, FailureKind.BAD_INPUT, Charged.NO, "body.prompt: field required"),
            ("throttled", {}, FailureKind.THROTTLED, Charged.NO, "Too many requests"),
            ("redirect", {}, FailureKind.NOT_SERVED, Charged.NO, "redirects are not followed"),
            ("unavailable", {}, FailureKind.UPSTREAM, Charged.NO, "not available"),
            ("server_error", {}, FailureKind.UPSTREAM, Charged.UNKNOWN, "been billed"),
            ("server_error", {"created": True}, FailureKind.UPSTREAM, Charged.UNKNOWN, "been billed"),
            ("gateway_timeout", {"created": True}, FailureKind.UPSTREAM, Charged.UNKNOWN, "been billed"),
            ("html", {}, FailureKind.UPSTREAM, Charged.UNKNOWN, "an HTML page"),
            ("drop", {}, FailureKind.UPSTREAM, Charged.UNKNOWN, "been billed"),
            ("not_json", {}, FailureKind.UPSTREAM, Charged.UNKNOWN, "names no request"),
            ("wrong_types", {}, FailureKind.UPSTREAM, Charged.UNKNOWN, "names no request"),
            ("nameless", {}, FailureKind.UPSTREAM, Charged.UNKNOWN, "names no request"),
            ("endless", {}, FailureKind.BAD_OUTPUT, Charged.YES, "more than 8,000,000 bytes"),
            ("slow", {"seconds": 30}, FailureKind.TIMEOUT, Charged.UNKNOWN, "been billed"),
        ],
    )
    def test_has_its_kind_and_never_belies_the_bill(self, provider, fal, tmp_path, fault, details, kind, charged, said):
        fal.fault(fault, **details)
        with pytest.raises(ProviderError) as caught:
            provider.submit(call("music", fal.url, tmp_path, timeout=0.3 if fault == "slow" else 5.0))
        assert facts(caught.value) == (kind, charged)
        assert said in caught.value.message
        assert fal.generations in BILLED[charged]

    @pytest.mark.parametrize(("retry_after", "seconds"), [(None, None), (5, 5)])
    def test_says_when_to_come_back(self, provider, fal, asked, retry_after, seconds):
        fal.fault("throttled", retry_after=retry_after)
        assert failure(provider, asked).retry_after == seconds

    def test_for_its_token_has_the_token_read_anew(self, provider, fal, asked, tokens):
        fal.fault("unauthorized")
        failure(provider, asked)
        assert tokens.forgotten == 1

    def test_of_an_app_that_is_not_there_is_not_served(self, provider, fal, tmp_path):
        error = failure(provider, call("music", fal.url, tmp_path, model="fal-ai/riffusion"))
        assert facts(error) == (FailureKind.NOT_SERVED, Charged.NO)


class TestACompletedRequest:
    @pytest.mark.parametrize(
        ("fate", "kind", "charged", "said"),
        [
            ("failed", FailureKind.UPSTREAM, Charged.NO, "does not bill its own faults"),
            ("runner_lost", FailureKind.UPSTREAM, Charged.NO, "does not bill its own faults"),
            ("not_started", FailureKind.UPSTREAM, Charged.NO, "Request timed out"),
            ("unmarked_error", FailureKind.UPSTREAM, Charged.NO, "Internal error"),
            ("marked_error", FailureKind.UPSTREAM, Charged.NO, "Internal error"),
            ("erased_fault", FailureKind.UPSTREAM, Charged.NO, "Runner disconnected"),
            ("erased_error", FailureKind.UPSTREAM, Charged.UNKNOWN, "keeps a result for an hour"),
            ("out_of_memory", FailureKind.OUT_OF_MEMORY, Charged.NO, "shorter or smaller"),
            ("canceled", FailureKind.UPSTREAM, Charged.UNKNOWN, "canceled at fal"),
            ("refused_input", FailureKind.BAD_INPUT, Charged.UNKNOWN, "body.prompt: ensure this value"),
            ("refused_prompt", FailureKind.MODERATED, Charged.UNKNOWN, "Change the prompt"),
            ("silent_error", FailureKind.BAD_OUTPUT, Charged.UNKNOWN, "brought no file"),
            ("erased", FailureKind.UPSTREAM, Charged.YES, "keeps a result for an hour"),
            ("no_output", FailureKind.BAD_OUTPUT, Charged.YES, "brought no file"),
            ("shapeless", FailureKind.BAD_OUTPUT, Charged.YES, "brought no file"),
            ("foreign_file", FailureKind.BAD_OUTPUT, Charged.YES, "not one of its own hosts"),
            ("lookalike_file", FailureKind.BAD_OUTPUT, Charged.YES, "not one of its own hosts"),
            ("insecure_file", FailureKind.BAD_OUTPUT, Charged.YES, "an address that cannot be used"),
        ],
    )
    def test_without_a_file_says_why_and_what_it_cost(self, provider, fal, asked, fate, kind, charged, said):
        fal.fault(fate)
        error = failure(provider, asked)
        assert facts(error) == (kind, charged)
        assert said in error.message
        assert fal.generations in BILLED[charged]

    def test_of_a_path_the_app_has_not_is_not_served(self, provider, fal, tmp_path):
        error = failure(provider, call("flux", fal.url, tmp_path, model="fal-ai/flux/turbo"))
        assert facts(error) == (FailureKind.NOT_SERVED, Charged.NO)
        assert "Path /turbo not found" in error.message

    def test_with_an_unsafe_picture_was_held_back(self, provider, fal, tmp_path):
        fal.fault("nsfw")
        error = failure(provider, call("flux", fal.url, tmp_path))
        assert facts(error) == (FailureKind.MODERATED, Charged.YES)
        assert fal.generations == 1

    def test_is_asked_for_at_its_own_server_whatever_it_names(self, provider, fal, asked):
        fal.fault("misdirected")
        ref = provider.submit(asked).ref
        assert ref == fal.queue[0].id
        assert isinstance(settle(provider, ref, asked), Done)

    def test_that_is_not_known_any_more_may_have_cost_something(self, provider, asked):
        with pytest.raises(ProviderError) as caught:
            provider.poll("019bcd9e-1111-4222-8333-444455556666", asked)
        assert facts(caught.value) == (FailureKind.UPSTREAM, Charged.UNKNOWN)
        assert "another account's" in caught.value.message

    @pytest.mark.parametrize("stage", ["poll", "result"])
    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            ("unauthorized", FailureKind.AUTH),
            ("exhausted", FailureKind.CREDITS),
            ("throttled", FailureKind.THROTTLED),
            ("server_error", FailureKind.UPSTREAM),
            ("html", FailureKind.UPSTREAM),
            ("not_json", FailureKind.UPSTREAM),
            ("endless", FailureKind.BAD_OUTPUT),
            ("redirect", FailureKind.NOT_SERVED),
            ("drop", FailureKind.UPSTREAM),
        ],
    )
    def test_outlives_a_poll_that_fails(self, provider, fal, asked, fault, kind, stage):
        ref = provider.submit(asked).ref
        fal.finish(fal.queue[0].id)
        fal.fault(fault, at=stage)
        with pytest.raises(PollError) as caught:
            provider.poll(ref, asked)
        assert caught.value.error.kind is kind
        assert isinstance(settle(provider, ref, asked), Done)

    def test_outlives_a_status_of_the_wrong_types(self, provider, fal, asked):
        ref = provider.submit(asked).ref
        fal.fault("wrong_types", at="poll")
        with pytest.raises(PollError):
            provider.poll(ref, asked)
        assert isinstance(settle(provider, ref, asked), Done)

    def test_outlives_a_token_that_is_taken_away(self, tmp_path):
        tokenless = Fal({}.get, forget_tokens=lambda: None)
        with pytest.raises(PollError) as caught:
            tokenless.poll("fal-ai/flux/requests/019bcd9e", call("music", "https://queue.fal.run", tmp_path))
        assert caught.value.error.kind is FailureKind.NO_TOKEN


class TestADownload:
    @pytest.mark.parametrize("fault", ["missing", "forbidden", "server_error", "throttled"])
    def test_that_fails_is_made_again_at_the_next_poll(self, provider, fal, asked, fault):
        ref = provider.submit(asked).ref
        fal.finish(fal.queue[0].id)
        fal.fault(fault, at="file")
        with pytest.raises(PollError):
            provider.poll(ref, asked)
        assert isinstance(provider.poll(ref, asked), Done)

    @pytest.mark.parametrize(
        ("fault", "said"), [("redirect", "redirects are not followed"), ("page", "neither a picture, nor sound")]
    )
    def test_that_is_no_media_is_paid_for_in_vain(self, provider, fal, asked, fault, said):
        fal.fault(fault, at="file")
        error = failure(provider, asked)
        assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)
        assert said in error.message

    def test_has_an_end(self, provider, fal, asked, monkeypatch):
        monkeypatch.setattr(downloads, "LARGEST_RESULT", 100_000)
        fal.fault("large", bytes=200_000)
        error = failure(provider, asked)
        assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)

    def test_never_carries_the_token(self, provider, fal, asked):
        settle(provider, provider.submit(asked).ref, asked)
        carried = {exchange.path.split("/")[1]: "authorization" in exchange.headers for exchange in fal.requests}
        assert carried == {"fal-ai": True, "files": False}


class TestCancelling:
    def test_takes_what_waits_out_of_the_queue(self, provider, fal, asked):
        ref = provider.submit(asked).ref
        provider.cancel(ref, asked)
        assert fal.queue[0].canceled
        assert fal.generations == 0

    def test_stops_what_runs(self, provider, asked):
        ref = provider.submit(asked).ref
        provider.poll(ref, asked)
        provider.cancel(ref, asked)
        with pytest.raises(ProviderError, match="canceled at fal") as caught:
            provider.poll(ref, asked)
        assert facts(caught.value) == (FailureKind.UPSTREAM, Charged.UNKNOWN)

    def test_leaves_what_is_over_as_it_is(self, provider, fal, asked):
        ref = provider.submit(asked).ref
        fal.finish(fal.queue[0].id)
        provider.cancel(ref, asked)
        assert isinstance(provider.poll(ref, asked), Done)

    def test_of_nothing_is_no_failure(self, provider, asked):
        provider.cancel("019bcd9e-1111-4222-8333-444455556666", asked)

    @pytest.mark.parametrize("fault", ["unauthorized", "throttled", "server_error", "drop"])
    def test_may_fail(self, provider, fal, asked, fault):
        ref = provider.submit(asked).ref
        fal.fault(fault, at="cancel")
        with pytest.raises(PollError):
            provider.cancel(ref, asked)
