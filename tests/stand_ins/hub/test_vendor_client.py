"""Hugging Face's own Python client works with the stand-in, so its answers have the form that the router's have."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest
from huggingface_hub import InferenceClient, set_client_factory
from huggingface_hub.errors import BadRequestError, HfHubHTTPError
from huggingface_hub.inference._providers import PROVIDER_T, _common, fal_ai, together, wavespeed
from huggingface_hub.utils._http import default_client_factory

from local.stand_ins.hub import HubServer
from local.stand_ins.hub.served import FLUX_DEV, FLUX_SCHNELL, SDXL, WAN, WAN_FROM_IMAGE
from tests.providers.payloads import TOKEN, image_file

HUGGING_FACE = ("huggingface.co", "router.huggingface.co")


class Detour(httpx2.HTTPTransport):
    """Sends requests for Hugging Face's hosts to this machine.

    The client uses other paths if its host is not the router's, so the URL changes only here, below the client.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = httpx2.URL(url)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer to a request."""
        if request.url.host in HUGGING_FACE:
            request.url = request.url.copy_with(scheme="http", host=self.url.host, port=self.url.port)
        return super().handle_request(request)


@pytest.fixture(scope="module")
def shared_hub() -> Iterator[HubServer]:
    """One stand-in for the module."""
    with HubServer(quick=True, token=TOKEN) as server:
        yield server


@pytest.fixture
def hub(shared_hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """The stand-in, with nothing remembered; Hugging Face's client sends its requests there, and polls fast."""
    shared_hub.clear()
    shared_hub.polls = 1
    for module in (fal_ai, wavespeed):
        monkeypatch.setattr(module, "_POLLING_INTERVAL", 0.01)
    monkeypatch.setattr(together, "_VIDEO_POLLING_INTERVAL", 0.01)
    _common._fetch_inference_provider_mapping.cache_clear()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    set_client_factory(lambda: httpx2.Client(transport=Detour(shared_hub.url), follow_redirects=True))
    yield shared_hub
    set_client_factory(default_client_factory)


def client(partner: PROVIDER_T) -> InferenceClient:
    """Hugging Face's client for one partner."""
    return InferenceClient(provider=partner, token=TOKEN)


@pytest.mark.parametrize(
    ("partner", "model"),
    [
        ("fal-ai", FLUX_SCHNELL),
        ("replicate", FLUX_SCHNELL),
        ("replicate", SDXL),
        ("together", FLUX_DEV),
        ("nscale", SDXL),
        ("wavespeed", FLUX_DEV),
    ],
)
def test_text_gives_an_image(hub: HubServer, partner: PROVIDER_T, model: str) -> None:
    """The client gets a PNG from each of these partners, and one generation is billed."""
    hub.polls = 0 if partner == "replicate" else 1  # the client does not poll a prediction
    image = client(partner).text_to_image("a calm sea", model=model, width=64, height=32, num_inference_steps=4)
    assert (image.format, hub.generations) == ("PNG", 1)


@pytest.mark.parametrize("partner", ["fal-ai", "replicate", "together", "wavespeed"])
def test_text_gives_a_video(hub: HubServer, partner: PROVIDER_T) -> None:
    """The client gets an MP4 from each of these partners."""
    hub.polls = 0 if partner == "replicate" else 1
    video = client(partner).text_to_video("a calm sea", model=WAN)
    assert video[4:8] == b"ftyp"


@pytest.mark.parametrize("partner", ["fal-ai", "together", "wavespeed"])
def test_an_image_gives_a_video(hub: HubServer, partner: PROVIDER_T) -> None:
    """The client gets an MP4 for an image and a text, from each of these partners."""
    video = client(partner).image_to_video(image_file(), model=WAN_FROM_IMAGE, prompt="the waves begin to roll")
    assert video[4:8] == b"ftyp"


def test_an_image_has_the_requested_size(hub: HubServer) -> None:
    """A stand-in that is not `quick` renders an image of the width and height that the client sends."""
    with HubServer(token=TOKEN) as server:
        set_client_factory(lambda: httpx2.Client(transport=Detour(server.url)))
        made = client("nscale").text_to_image("a calm sea", model=SDXL, width=128, height=64)
    assert made.size == (128, 64)


def test_the_client_reads_a_mapping_that_is_a_list(hub: HubServer) -> None:
    """The Hub's answer about a model may list its partners instead of naming them in an object."""
    hub.mapping[SDXL] = [{"provider": name, **entry} for name, entry in hub.mapping[SDXL].items()]
    assert client("nscale").text_to_image("a calm sea", model=SDXL).format == "PNG"


def test_the_client_orders_no_model_that_the_partner_lacks(hub: HubServer) -> None:
    """If the mapping has no entry of the partner, the client raises ValueError and nothing is billed."""
    with pytest.raises(ValueError, match="not supported by provider nscale"):
        client("nscale").text_to_image("a calm sea", model=FLUX_DEV)
    assert hub.generations == 0


def test_a_failed_video_gives_its_reason(hub: HubServer) -> None:
    """The client's error contains the reason that the partner gave."""
    hub.fault("moderated")
    with pytest.raises(RuntimeError, match="NSFW"):
        client("together").text_to_video("a calm sea", model=WAN)


@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ("not_supported", BadRequestError, "Model not supported by provider"),
        ("credits", HfHubHTTPError, "402"),
        ("gone", HfHubHTTPError, "410"),
        ("throttled", HfHubHTTPError, "429"),
    ],
)
def test_a_refused_order_raises_the_clients_error(
    hub: HubServer, fault: str, error: type[HfHubHTTPError], message: str
) -> None:
    """A refused order raises the client's HTTP error, with the status or with the router's message."""
    hub.fault(fault)
    with pytest.raises(error, match=message):
        client("nscale").text_to_image("a calm sea", model=SDXL)
