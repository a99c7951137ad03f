"""Replicate's provider against the stand-in: every state, every failure, and what each may have cost."""

import pytest
from longplay.errors import Charged, FailureKind, ProviderError
from longplay.providers import downloads
from longplay.providers.protocol import Accepted, Done, PolledProvider, PollError
from longplay.providers.references import LATER, SAFETY_NET, SOON
from longplay.providers.replicate.adapter import Replicate

from local.replicate_server import ReplicateServer
from tests.providers.conftest import Tokens
from tests.providers.replicate_calls import CALLBACK, TOKEN, call

BILLED = {Charged.NO: (0,), Charged.UNKNOWN: (0, 1), Charged.YES: (1,)}


@pytest.fixture(scope="module")
def shared_replicate():
    with ReplicateServer(quick=True, token=TOKEN) as server:
        yield server


@pytest.fixture
def replicate(shared_replicate):
    shared_replicate.clear()
    return shared_replicate


@pytest.fixture
def tokens():
    return Tokens(replicate=TOKEN, huggingface="hf_AbCdEfGh0123456789")


@pytest.fixture
def provider(tokens):
    return Replicate(tokens.get, forget_tokens=tokens.forget)


@pytest.fixture
def asked(replicate, tmp_path):
    return call("music", replicate.url, tmp_path)


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
            ("image", "image/png"),
            ("flux", "image/png"),
            ("film", "video/mp4"),
            ("animation", "video/mp4"),
        ],
    )
    def test_of_each_kind_is_referred_to_and_then_fetched(self, provider, replicate, tmp_path, name, content_type):
        asked = call(name, replicate.url, tmp_path)
        accepted = provider.submit(asked)
        done = settle(provider, accepted.ref, asked)
        assert [file.content_type for file in done.files] == [content_type]
        assert done.files[0].path.read_bytes() == replicate.predictions[0].files[0].content
        assert (accepted.ref, done.request_id) == (replicate.predictions[0].id,) * 2
        assert replicate.generations == 1

    def test_is_accepted_before_its_first_poll_and_while_it_works(self, provider, asked):
        accepted = provider.submit(asked)
        assert accepted.poll_after == SOON
        assert provider.poll(accepted.ref, asked) == Accepted(
            ref=accepted.ref, poll_after=LATER, request_id=accepted.ref
        )
        assert isinstance(provider.poll(accepted.ref, asked), Done)

    def test_is_never_waited_for(self, provider, replicate, asked):
        provider.submit(asked)
        assert "prefer" not in replicate.requests[0].headers

    def test_may_be_fetched_twice(self, provider, asked):
        ref = provider.submit(asked).ref
        assert settle(provider, ref, asked).files == settle(provider, ref, asked).files

    def test_is_one_a_poll_can_follow(self, provider):
        assert isinstance(provider, PolledProvider)


class TestACallback:
    def test_is_asked_for_when_it_ends_and_polls_become_a_safety_net(self, provider, replicate, tmp_path):
        asked = call("music", replicate.url, tmp_path, callback_url=CALLBACK)
        accepted = provider.submit(asked)
        assert replicate.requests[0].parameters["webhook"] == CALLBACK
        assert replicate.requests[0].parameters["webhook_events_filter"] == ["completed"]
        assert (accepted.poll_after, provider.poll(accepted.ref, asked).poll_after) == (SAFETY_NET, SAFETY_NET)

    @pytest.mark.parametrize(("url", "wanted"), [("http://api.example.com/x", True), ("ftp://x", False), (None, False)])
    def test_goes_over_https_or_what_a_server_on_this_machine_is_called_by(
        self, provider, replicate, tmp_path, url, wanted
    ):
        provider.submit(call("music", replicate.url, tmp_path, callback_url=url))
        assert ("webhook" in replicate.requests[0].parameters) == wanted

    def test_names_its_prediction(self, provider, replicate, tmp_path):
        ref = provider.submit(call("music", replicate.url, tmp_path, callback_url=CALLBACK)).ref
        replicate.finish(ref)
        assert provider.reference_in(replicate.callback(ref).body) == ref


class TestARefusedOrder:
    @pytest.mark.parametrize(
        ("fault", "details", "kind", "charged", "said"),
        [
            ("unauthorized", {}, FailureKind.AUTH, Charged.NO, "`make token PROVIDER=replicate`"),
            ("credits", {}, FailureKind.CREDITS, Charged.NO, "replicate.com/account/billing"),
            ("forbidden", {}, FailureKind.FORBIDDEN, Charged.NO, "does not permit"),
            ("missing", {}, FailureKind.NOT_SERVED, Charged.NO, "models.toml"),
            ("unknown_version", {}, FailureKind.NOT_SERVED, Charged.NO, "models.toml"),
            ("invalid", {}, FailureKind.BAD_INPUT, Charged.NO, "input.prompt: prompt is required"),
            ("throttled", {}, FailureKind.THROTTLED, Charged.NO, "throttled"),
            ("redirect", {}, FailureKind.NOT_SERVED, Charged.NO, "redirects are not followed"),
            ("server_error", {}, FailureKind.UPSTREAM, Charged.UNKNOWN, "been billed"),
            ("server_error", {"created": True}, FailureKind.UPSTREAM, Charged.UNKNOWN, "been billed"),
            ("html", {}, FailureKind.UPSTREAM, Charged.UNKNOWN, "an HTML page"),
            ("drop", {}, FailureKind.UPSTREAM, Charged.UNKNOWN, "been billed"),
            ("not_json", {}, FailureKind.UPSTREAM, Charged.UNKNOWN, "names no prediction"),
            ("nameless", {}, FailureKind.UPSTREAM, Charged.UNKNOWN, "names no prediction"),
            ("slow", {"seconds": 30}, FailureKind.TIMEOUT, Charged.UNKNOWN, "been billed"),
        ],
    )
    def test_has_its_kind_and_never_belies_the_bill(
        self, provider, replicate, tmp_path, fault, details, kind, charged, said
    ):
        replicate.fault(fault, **details)
        with pytest.raises(ProviderError) as caught:
            provider.submit(call("music", replicate.url, tmp_path, timeout=0.3 if fault == "slow" else 5.0))
        assert facts(caught.value) == (kind, charged)
        assert said in caught.value.message
        assert replicate.generations in BILLED[charged]

    @pytest.mark.parametrize(("retry_after", "seconds"), [(None, 30), (5, 5)])
    def test_says_when_to_come_back(self, provider, replicate, asked, retry_after, seconds):
        replicate.fault("throttled", retry_after=retry_after)
        assert failure(provider, asked).retry_after == seconds

    def test_for_its_token_has_the_token_read_anew(self, provider, replicate, asked, tokens):
        replicate.fault("unauthorized")
        failure(provider, asked)
        assert tokens.forgotten == 1


class TestAPrediction:
    @pytest.mark.parametrize(
        ("fate", "kind", "charged", "said"),
        [
            ("failed", FailureKind.UPSTREAM, Charged.UNKNOWN, "unknown reason"),
            ("interrupted", FailureKind.UPSTREAM, Charged.UNKNOWN, "may succeed when it is made again"),
            ("out_of_memory", FailureKind.OUT_OF_MEMORY, Charged.UNKNOWN, "shorter or smaller"),
            ("nsfw", FailureKind.MODERATED, Charged.UNKNOWN, "change the prompt"),
            ("sensitive", FailureKind.MODERATED, Charged.UNKNOWN, "change the prompt"),
            ("canceled", FailureKind.UPSTREAM, Charged.UNKNOWN, "canceled at Replicate"),
            ("aborted", FailureKind.UPSTREAM, Charged.NO, "before it started"),
            ("erased", FailureKind.UPSTREAM, Charged.YES, "keeps a result for one hour"),
            ("no_output", FailureKind.BAD_OUTPUT, Charged.YES, "without a file"),
            ("foreign_file", FailureKind.BAD_OUTPUT, Charged.YES, "not one of its own hosts"),
            ("lookalike_file", FailureKind.BAD_OUTPUT, Charged.YES, "not one of its own hosts"),
            ("insecure_file", FailureKind.BAD_OUTPUT, Charged.YES, "an address that cannot be used"),
        ],
    )
    def test_that_ends_without_a_file_says_why_and_what_it_cost(
        self, provider, replicate, asked, fate, kind, charged, said
    ):
        replicate.fault(fate)
        error = failure(provider, asked)
        assert facts(error) == (kind, charged)
        assert said in error.message
        assert replicate.generations in BILLED[charged]

    @pytest.mark.parametrize("ref", ["gm3qorzdhgbfurvjtvhg6dckhu"])
    def test_that_is_not_known_any_more_may_have_cost_something(self, provider, asked, ref):
        with pytest.raises(ProviderError) as caught:
            provider.poll(ref, asked)
        assert facts(caught.value) == (FailureKind.UPSTREAM, Charged.UNKNOWN)
        assert "another account's" in caught.value.message

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            ("unauthorized", FailureKind.AUTH),
            ("credits", FailureKind.CREDITS),
            ("throttled", FailureKind.THROTTLED),
            ("server_error", FailureKind.UPSTREAM),
            ("html", FailureKind.UPSTREAM),
            ("not_json", FailureKind.UPSTREAM),
            ("nameless", FailureKind.UPSTREAM),
            ("redirect", FailureKind.NOT_SERVED),
            ("drop", FailureKind.UPSTREAM),
        ],
    )
    def test_outlives_a_poll_that_fails(self, provider, replicate, asked, fault, kind):
        ref = provider.submit(asked).ref
        replicate.fault(fault, at="poll")
        with pytest.raises(PollError) as caught:
            provider.poll(ref, asked)
        assert caught.value.error.kind is kind
        assert isinstance(settle(provider, ref, asked), Done)

    def test_outlives_a_token_that_is_taken_away(self, tmp_path):
        tokenless = Replicate({}.get, forget_tokens=lambda: None)
        with pytest.raises(PollError) as caught:
            tokenless.poll("gm3qorzdhgbfurvjtvhg6dckhu", call("music", "https://api.replicate.com", tmp_path))
        assert caught.value.error.kind is FailureKind.NO_TOKEN


class TestADownload:
    @pytest.mark.parametrize("fault", ["missing", "forbidden", "server_error", "throttled", "drop", "cut"])
    def test_that_fails_is_made_again_at_the_next_poll(self, provider, replicate, asked, fault):
        ref = provider.submit(asked).ref
        replicate.finish(ref)
        replicate.fault(fault, at="file", times=None, after=0)
        with pytest.raises(PollError):
            provider.poll(ref, asked)
        replicate.faults.clear()
        assert isinstance(provider.poll(ref, asked), Done)

    @pytest.mark.parametrize(
        ("fault", "said"), [("redirect", "redirects are not followed"), ("page", "neither a picture, nor sound")]
    )
    def test_that_is_no_media_is_paid_for_in_vain(self, provider, replicate, asked, fault, said):
        replicate.fault(fault, at="file")
        error = failure(provider, asked)
        assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)
        assert said in error.message

    def test_of_another_kind_than_was_asked_for_is_of_no_use(self, provider, replicate, tmp_path):
        error = failure(provider, call("flux", replicate.url, tmp_path, kind="music"))
        assert "it sent image/png where music was asked for" in error.message

    def test_has_an_end(self, provider, replicate, asked, monkeypatch):
        monkeypatch.setattr(downloads, "LARGEST_RESULT", 100_000)
        replicate.fault("large", bytes=200_000)
        error = failure(provider, asked)
        assert facts(error) == (FailureKind.BAD_OUTPUT, Charged.YES)
        assert "more than 100,000 bytes" in error.message

    def test_never_carries_the_token(self, provider, replicate, asked):
        settle(provider, provider.submit(asked).ref, asked)
        carried = {exchange.path.split("/")[1]: "authorization" in exchange.headers for exchange in replicate.requests}
        assert carried == {"v1": True, "delivery": False}


class TestCancelling:
    def test_stops_what_runs(self, provider, replicate, asked):
        ref = provider.submit(asked).ref
        provider.cancel(ref, asked)
        assert replicate.predictions[0].status == "canceled"
        assert replicate.generations == 0

    def test_leaves_what_is_over_as_it_is(self, provider, replicate, asked):
        ref = provider.submit(asked).ref
        replicate.finish(ref)
        provider.cancel(ref, asked)
        assert isinstance(provider.poll(ref, asked), Done)

    def test_of_nothing_is_no_failure(self, provider, asked):
        provider.cancel("gm3qorzdhgbfurvjtvhg6dckhu", asked)

    @pytest.mark.parametrize("fault", ["unauthorized", "throttled", "server_error", "drop"])
    def test_may_fail(self, provider, replicate, asked, fault):
        ref = provider.submit(asked).ref
        replicate.fault(fault, at="cancel")
        with pytest.raises(PollError):
            provider.cancel(ref, asked)
