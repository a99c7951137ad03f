"""The Hub's mapping from a model to its partners: how it is read, kept and checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.credential import Credential
from longplay.providers.inference_providers.mapping import HUB, KEPT, KEPT_WITHOUT, ProviderMapping, hub_of

from local.stand_ins.hub import HubServer
from local.stand_ins.hub.served import SDXL, WAN, WAN_FROM_IMAGE
from tests.providers.failures import raised
from tests.providers.inference_providers.calls import call
from tests.providers.payloads import TOKEN, image_file

ENTRY = {"status": "live", "providerId": "a/b", "task": "text-to-image"}


class Clock:
    """A clock that only the test moves, in seconds."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


Find = Callable[..., str]


@pytest.fixture
def clock() -> Clock:
    """The mapping's clock."""
    return Clock()


@pytest.fixture
def find(hub: HubServer, clock: Clock, tmp_path: Path) -> Find:
    """Returns the partner's name of the model of a call."""
    mapping = ProviderMapping(clock=clock)

    def make(name: str = "nscale image", *, partner: str = "nscale", **fields: Any) -> str:
        return mapping.id_of(call(name, hub.url, tmp_path, **fields), partner, Credential("huggingface", TOKEN))

    return make


def refusal(find: Find, *args: Any, **fields: Any) -> ProviderError:
    """Why no name was found, which is always free."""
    error = raised(find, *args, **fields)
    assert error.charged is Charged.NO
    return error


def test_the_mapping_names_the_partners_model(find: Find) -> None:
    """The mapping gives the partner's own name of a model."""
    assert find("wavespeed video", partner="wavespeed") == "wavespeed-ai/wan-2.2/t2v-5b-720p"


def test_the_mapping_can_be_a_list(find: Find, hub: HubServer) -> None:
    """A mapping that is a list of entries is read like one by partner."""
    hub.mapping[SDXL] = [{"provider": "fal-ai", **ENTRY}, {"provider": "nscale", **ENTRY}]
    assert find() == "a/b"


@pytest.mark.parametrize("mapping", [{}, [], None, "nscale", 7, {"nscale": None}, {"nscale": "a/b"}, [7], [["nscale"]]])
def test_a_model_without_an_entry_is_not_served(find: Find, hub: HubServer, mapping: Any) -> None:
    """A model without a readable entry for the partner is NOT_SERVED."""
    hub.mapping[SDXL] = mapping
    assert refusal(find).kind is FailureKind.NOT_SERVED


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "staging"}, "staging"),
        ({"status": "error"}, "“error”"),
        ({"status": "x\x1b" * 99}, "not live"),
        ({"task": "image-to-image"}, "image-to-image"),
        ({"adapter": "lora", "adapterWeightsPath": "x.safetensors"}, "adapter"),
        ({"providerId": "../../api/whoami"}, "nscale"),
        ({"providerId": "a/b?x=y"}, "nscale"),
        ({"providerId": "a b"}, "nscale"),
        ({"providerId": "a/" * 200 + "b"}, "nscale"),
        ({"providerId": 7}, "nscale"),
        ({"providerId": None}, "nscale"),
    ],
)
def test_an_unusable_entry_is_not_served(find: Find, hub: HubServer, changes: dict[str, Any], said: str) -> None:
    """An entry with a wrong status, task or name is NOT_SERVED, and the failure says what is wrong."""
    hub.mapping[SDXL] = {"nscale": {**ENTRY, **changes}}
    error = refusal(find)
    assert error.kind is FailureKind.NOT_SERVED
    assert said in error.message
    assert error.message.isprintable()


def test_a_broken_entry_does_not_hide_the_others(find: Find, hub: HubServer) -> None:
    """A broken entry of one partner does not affect another partner's."""
    hub.mapping[SDXL] = {"fal-ai": {"status": 7}, "nscale": ENTRY}
    assert find() == "a/b"


@pytest.mark.parametrize(("model", "image"), [(WAN, image_file()), (WAN_FROM_IMAGE, None)])
def test_a_text_entry_does_not_serve_an_image(find: Find, model: str, image: bytes | None) -> None:
    """An entry for text to video does not serve image to video, nor the reverse."""
    error = refusal(find, "wavespeed video", partner="wavespeed", model=model, image=image)
    assert error.kind is FailureKind.NOT_SERVED


def test_music_is_not_served(find: Find) -> None:
    """Music is NOT_SERVED: no partner's entry is for music."""
    assert refusal(find, kind="music").kind is FailureKind.NOT_SERVED


def test_an_unknown_model_is_not_served(find: Find) -> None:
    """A model that the Hub does not know is NOT_SERVED."""
    assert refusal(find, model="no-owner/no-model").kind is FailureKind.NOT_SERVED


def test_a_model_is_read_once_for_all_partners(find: Find, hub: HubServer) -> None:
    """One read of a model's mapping serves all partners."""
    find()
    find(partner="replicate", name="replicate version")
    assert len(hub.requests) == 1


def test_each_model_is_read_once(find: Find, hub: HubServer) -> None:
    """Each model's mapping is read separately."""
    find()
    find("wavespeed video", partner="wavespeed")
    assert len(hub.requests) == 2


@pytest.mark.parametrize(("seconds", "read"), [(KEPT - 1, 1), (KEPT, 2)])
def test_a_mapping_is_read_again_after_its_time(
    find: Find, hub: HubServer, clock: Clock, seconds: float, read: int
) -> None:
    """A mapping is kept for `KEPT` seconds, and then read again."""
    find()
    clock.now += seconds
    find()
    assert len(hub.requests) == read


@pytest.mark.parametrize(("seconds", "read"), [(KEPT_WITHOUT - 1, 1), (KEPT_WITHOUT, 2)])
def test_a_mapping_without_the_partner_is_read_again_sooner(
    find: Find, hub: HubServer, clock: Clock, seconds: float, read: int
) -> None:
    """A mapping that lacks the partner is kept only for `KEPT_WITHOUT` seconds."""
    refusal(find, partner="wavespeed")
    clock.now += seconds
    refusal(find, partner="wavespeed")
    assert len(hub.requests) == read


def test_a_failed_read_is_not_kept(find: Find, hub: HubServer) -> None:
    """A read that failed is repeated at the next call."""
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
def test_a_failed_read_has_its_kind_and_is_free(find: Find, hub: HubServer, fault: str, kind: FailureKind) -> None:
    """Each failure to read a mapping has its kind, and nothing was charged."""
    hub.fault(fault, at="mapping", seconds=30)
    assert refusal(find, timeout=0.3 if fault == "slow" else 5.0).kind is kind


def test_a_throttled_read_has_the_wait_of_the_hub(find: Find, hub: HubServer) -> None:
    """A throttled read names the seconds that the Hub asks to wait."""
    hub.fault("throttled", at="mapping", retry_after=42)
    assert refusal(find).retry_after == 42


def test_a_read_carries_the_token(find: Find, hub: HubServer) -> None:
    """The mapping is read with the stored token."""
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
def test_a_stand_in_is_its_own_hub(url: str, hub: str) -> None:
    """The Hub is at huggingface.co, except for a stand-in on this machine, which plays both."""
    assert hub_of(url) == hub
