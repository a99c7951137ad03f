"""Who serves a model, as the Hub says it: read once, kept for a while, believed in little."""

import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.credential import Credential
from longplay.providers.inference_providers.mapping import HUB, KEPT, KEPT_WITHOUT, ProviderMapping, hub_of

from local.stand_ins.hub.served import SDXL, WAN, WAN_FROM_IMAGE
from tests.providers.payloads import TOKEN, image_file
from tests.providers.routed_calls import call

ENTRY = {"status": "live", "providerId": "a/b", "task": "text-to-image"}


class Clock:
    """Seconds that a test moves."""

    now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def find(hub, clock, tmp_path):
    """What a partner calls a route's model."""
    mapping = ProviderMapping(clock=clock)

    def make(name="nscale image", *, partner="nscale", token=TOKEN, **fields):
        return mapping.id_of(call(name, hub.url, tmp_path, **fields), partner, Credential("huggingface", token))

    return make


def refusal(find, *args, **fields):
    with pytest.raises(ProviderError) as caught:
        find(*args, **fields)
    assert caught.value.charged is Charged.NO
    return caught.value


class TestAnEntry:
    def test_names_the_partners_own_model(self, find):
        assert find("wavespeed video", partner="wavespeed") == "wavespeed-ai/wan-2.2/t2v-5b-720p"

    def test_may_stand_in_a_list(self, find, hub):
        hub.mapping[SDXL] = [{"provider": "fal-ai", **ENTRY}, {"provider": "nscale", **ENTRY}]
        assert find() == "a/b"

    @pytest.mark.parametrize(
        "mapping", [{}, [], None, "nscale", 7, {"nscale": None}, {"nscale": "a/b"}, [7], [["nscale"]]]
    )
    def test_that_is_not_there_serves_nothing(self, find, hub, mapping):
        hub.mapping[SDXL] = mapping
        assert refusal(find).kind is FailureKind.NOT_SERVED

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"status": "staging"}, "“staging”, not live"),
            ({"status": "error"}, "“error”, not live"),
            ({"status": "x\x1b" * 99}, "not live"),
            ({"task": "image-to-image"}, "served for image-to-image, not for text-to-image"),
            ({"adapter": "lora", "adapterWeightsPath": "x.safetensors"}, "adapter"),
            ({"providerId": "../../api/whoami"}, "names no nscale"),
            ({"providerId": "a/b?x=y"}, "names no nscale"),
            ({"providerId": "a b"}, "names no nscale"),
            ({"providerId": "a/" * 200 + "b"}, "names no nscale"),
            ({"providerId": 7}, "names no nscale"),
            ({"providerId": None}, "names no nscale"),
        ],
    )
    def test_that_cannot_be_used_serves_nothing(self, find, hub, changes, said):
        hub.mapping[SDXL] = {"nscale": {**ENTRY, **changes}}
        error = refusal(find)
        assert error.kind is FailureKind.NOT_SERVED
        assert said in error.message
        assert error.message.isprintable()

    def test_that_is_broken_does_not_hide_the_others(self, find, hub):
        hub.mapping[SDXL] = {"fal-ai": {"status": 7}, "nscale": ENTRY}
        assert find() == "a/b"

    @pytest.mark.parametrize(("model", "image"), [(WAN, image_file()), (WAN_FROM_IMAGE, None)])
    def test_for_text_is_not_one_for_an_image(self, find, model, image):
        error = refusal(find, "wavespeed video", partner="wavespeed", model=model, image=image)
        assert error.kind is FailureKind.NOT_SERVED

    def test_of_music_is_there_none(self, find):
        assert refusal(find, kind="music").kind is FailureKind.NOT_SERVED

    def test_of_a_model_the_hub_does_not_know_is_there_none(self, find):
        assert refusal(find, model="nobody/nothing").kind is FailureKind.NOT_SERVED


class TestThePage:
    def test_is_read_once_for_all_partners(self, find, hub):
        find()
        find(partner="replicate", name="replicate version")
        assert len(hub.requests) == 1

    def test_is_read_once_for_each_model(self, find, hub):
        find()
        find("wavespeed video", partner="wavespeed")
        assert len(hub.requests) == 2

    @pytest.mark.parametrize(("seconds", "read"), [(KEPT - 1, 1), (KEPT, 2)])
    def test_is_read_again_after_an_hour(self, find, hub, clock, seconds, read):
        find()
        clock.now += seconds
        find()
        assert len(hub.requests) == read

    @pytest.mark.parametrize(("seconds", "read"), [(KEPT_WITHOUT - 1, 1), (KEPT_WITHOUT, 2)])
    def test_without_the_partner_is_read_again_sooner(self, find, hub, clock, seconds, read):
        refusal(find, partner="wavespeed")
        clock.now += seconds
        refusal(find, partner="wavespeed")
        assert len(hub.requests) == read

    def test_that_could_not_be_read_is_read_again_at_once(self, find, hub):
        hub.fault("server_error", at="mapping")
        refusal(find)
        assert find()

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            ("throttled", FailureKind.THROTTLED),
            ("unauthorized", FailureKind.AUTH),
            ("server_error", FailureKind.UNREACHABLE),
            ("html", FailureKind.UNREACHABLE),
            ("not_json", FailureKind.UNREACHABLE),
            ("redirect", FailureKind.UNREACHABLE),
            ("drop", FailureKind.UNREACHABLE),
            ("cut", FailureKind.UNREACHABLE),
            ("slow", FailureKind.UNREACHABLE),
        ],
    )
    def test_that_cannot_be_read_costs_nothing(self, find, hub, fault, kind):
        hub.fault(fault, at="mapping", seconds=30)
        assert refusal(find, timeout=0.3 if fault == "slow" else 5.0).kind is kind

    def test_of_a_hub_that_is_asked_too_often_says_when_to_come_back(self, find, hub):
        hub.fault("throttled", at="mapping", retry_after=42)
        assert refusal(find).retry_after == 42

    def test_is_asked_for_with_the_token(self, find, hub):
        find()
        assert hub.requests[0].headers["authorization"] == "Bearer (hidden)"


@pytest.mark.parametrize(
    ("url", "hub"),
    [
        ("https://router.huggingface.co", HUB),
        ("https://router.huggingface.co/", HUB),
        ("https://gateway.example.com", HUB),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
    ],
)
def test_a_stand_in_is_its_own_hub(url, hub):
    assert hub_of(url) == hub
