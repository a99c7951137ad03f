"""Hugging Face's routed providers against the stand-in: what each brings, every refusal, what it may have cost."""

import re

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.protocol import Done, PolledProvider
from longplay.providers.references import LATER, SOON

from tests.providers.payloads import TOKEN
from tests.providers.routed_calls import CONTRACTS, HELD, POLLED, ROUTES, failure, settle

BILLED = {Charged.NO: (0,), Charged.UNKNOWN: (0, 1), Charged.YES: (1,)}


class TestAGeneration:
    @pytest.mark.parametrize("name", ROUTES)
    def test_of_each_way_is_made_once(self, routed, hub, name):
        provider, asked = routed(name)
        done = settle(provider, asked)
        assert done.files[0].path.read_bytes() == hub.made[0].file.content
        assert done.files[0].content_type == ("image/png" if asked.kind == "image" else "video/mp4")
        assert hub.generations == 1

    @pytest.mark.parametrize("name", POLLED)
    def test_is_accepted_and_asked_for_again(self, routed, name):
        provider, asked = routed(name)
        accepted = provider.submit(asked)
        again = provider.poll(accepted.ref, asked)
        assert (accepted.poll_after, again.poll_after, again.ref) == (SOON, LATER, accepted.ref)
        assert isinstance(provider.poll(accepted.ref, asked), Done)

    @pytest.mark.parametrize("name", ROUTES)
    def test_is_polled_where_it_does_not_hold_the_line(self, routed, name):
        assert isinstance(routed(name)[0], PolledProvider) == (name in POLLED)

    @pytest.mark.parametrize("name", POLLED)
    def test_may_be_fetched_twice(self, routed, name):
        provider, asked = routed(name)
        ref = provider.submit(asked).ref
        provider.poll(ref, asked)
        assert provider.poll(ref, asked) == provider.poll(ref, asked)

    @pytest.mark.parametrize("name", ROUTES)
    def test_carries_the_token_to_the_router_and_not_to_its_file(self, routed, hub, name):
        settle(*routed(name))
        carried = {exchange.path.split("/")[1]: "authorization" in exchange.headers for exchange in hub.requests}
        assert carried.pop("delivery", False) is False
        assert set(carried.values()) == {True}


class TestReplicatesHold:
    def test_may_end_with_the_result_though_its_status_says_processing(self, routed, hub):
        hub.polls = 0
        provider, asked = routed("replicate image")
        done = provider.submit(asked)
        hub.polls = 1
        assert isinstance(done, Done)
        assert [exchange.method for exchange in hub.requests] == ["GET", "POST", "GET"]

    def test_that_ended_with_a_file_that_cannot_be_fetched_is_asked_for_again(self, routed, hub):
        hub.polls = 0
        hub.fault("server_error", at="file")
        provider, asked = routed("replicate image")
        accepted = provider.submit(asked)
        hub.polls = 1
        assert isinstance(provider.poll(accepted.ref, asked), Done)
        assert hub.generations == 1


class TestARefusedOrder:
    @pytest.mark.parametrize("name", [*CONTRACTS, *HELD])
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
            ("redirect", FailureKind.NOT_SERVED, Charged.NO, "redirects are not followed"),
            ("server_error", FailureKind.UPSTREAM, Charged.UNKNOWN, "been billed"),
            ("html", FailureKind.UPSTREAM, Charged.UNKNOWN, "an HTML page"),
            ("error_200", FailureKind.UPSTREAM, Charged.UNKNOWN, "Something went wrong"),
            ("drop", FailureKind.UPSTREAM, Charged.UNKNOWN, "been billed"),
            ("cut", FailureKind.UPSTREAM, Charged.UNKNOWN, "been billed"),
        ],
    )
    def test_has_its_kind_and_never_belies_the_bill(self, routed, hub, name, fault, kind, charged, said):
        hub.fault(fault)
        error = failure(*routed(name))
        assert (error.kind, error.charged) == (kind, charged)
        assert said in error.message
        assert TOKEN not in error.message
        assert hub.generations in BILLED[charged]

    @pytest.mark.parametrize("name", CONTRACTS)
    @pytest.mark.parametrize("fault", ["not_json", "nameless"])
    def test_that_names_no_generation_may_have_cost_one(self, routed, name, fault, hub):
        hub.fault(fault)
        error = failure(*routed(name))
        assert (error.kind, error.charged) == (FailureKind.UPSTREAM, Charged.UNKNOWN)
        assert "names no generation" in error.message

    @pytest.mark.parametrize("name", HELD)
    @pytest.mark.parametrize("fault", ["not_json", "nameless"])
    def test_that_brings_no_image_is_of_no_use(self, routed, name, fault, hub):
        hub.fault(fault)
        assert failure(*routed(name)).kind is FailureKind.BAD_OUTPUT

    @pytest.mark.parametrize("name", ["fal image", "nscale image"])
    def test_that_takes_longer_than_the_mapping_left_may_have_cost_something(self, routed, hub, name):
        hub.fault("slow", seconds=30)
        error = failure(*routed(name, timeout=1.0))
        assert (error.kind, error.charged) == (FailureKind.TIMEOUT, Charged.UNKNOWN)
        assert 0 < float(re.search(r"within ([\d.]+) s", error.message)[1]) < 1

    def test_says_when_to_come_back(self, routed, hub):
        hub.fault("throttled", retry_after=40)
        assert failure(*routed("nscale image")).retry_after == 40

    @pytest.mark.parametrize("at", ["mapping", "create"])
    @pytest.mark.parametrize("name", [*CONTRACTS, *HELD])
    def test_for_its_token_has_the_token_read_anew(self, routed, hub, tokens, name, at):
        hub.fault("unauthorized", at=at)
        failure(*routed(name))
        assert tokens.forgotten == 1


class TestAToken:
    @pytest.mark.parametrize("name", ROUTES)
    def test_is_needed_at_the_router(self, routed, tokens, name):
        tokens.clear()
        error = failure(*routed(name, url="https://router.huggingface.co"))
        assert (error.kind, error.charged) == (FailureKind.NO_TOKEN, Charged.NO)
        assert "make token PROVIDER=huggingface" in error.message
