"""The stand-in held to Hugging Face's own Python client: what that understands, the router could have said."""

import httpx2
import pytest
from huggingface_hub import InferenceClient, set_client_factory
from huggingface_hub.errors import BadRequestError, HfHubHTTPError
from huggingface_hub.inference._providers import _common, fal_ai, together, wavespeed
from huggingface_hub.utils._http import default_client_factory

from local.stand_ins.hub import HubServer
from local.stand_ins.hub.served import FLUX_DEV, FLUX_SCHNELL, SDXL, WAN, WAN_FROM_IMAGE
from tests.providers.payloads import TOKEN, image_file

HUGGING_FACE = ("huggingface.co", "router.huggingface.co")


class Detour(httpx2.HTTPTransport):
    """Hugging Face's hosts are on this machine: the client asks a host other than the router's at other paths."""

    def __init__(self, url):
        super().__init__()
        self.url = httpx2.URL(url)

    def handle_request(self, request):
        if request.url.host in HUGGING_FACE:
            request.url = request.url.copy_with(scheme="http", host=self.url.host, port=self.url.port)
        return super().handle_request(request)


@pytest.fixture(scope="module")
def shared_hub():
    with HubServer(quick=True, token=TOKEN) as server:
        yield server


@pytest.fixture
def hub(shared_hub, monkeypatch):
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


def client(partner):
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
def test_an_image_is_made_of_text(hub, partner, model):
    hub.polls = 0 if partner == "replicate" else 1  # the client asks for no prediction again
    image = client(partner).text_to_image("a calm sea", model=model, width=64, height=32, num_inference_steps=4)
    assert (image.format, hub.generations) == ("PNG", 1)


@pytest.mark.parametrize("partner", ["fal-ai", "replicate", "together", "wavespeed"])
def test_a_video_is_made_of_text(hub, partner):
    hub.polls = 0 if partner == "replicate" else 1
    video = client(partner).text_to_video("a calm sea", model=WAN)
    assert video[4:8] == b"ftyp"


@pytest.mark.parametrize("partner", ["fal-ai", "together", "wavespeed"])
def test_a_video_is_made_of_an_image(hub, partner):
    video = client(partner).image_to_video(image_file(), model=WAN_FROM_IMAGE, prompt="the waves begin to roll")
    assert video[4:8] == b"ftyp"


def test_the_size_that_is_asked_for_is_made(hub):
    with HubServer(token=TOKEN) as server:
        set_client_factory(lambda: httpx2.Client(transport=Detour(server.url)))
        made = client("nscale").text_to_image("a calm sea", model=SDXL, width=128, height=64)
    assert made.size == (128, 64)


def test_the_mapping_may_be_a_list(hub):
    hub.mapping[SDXL] = [{"provider": name, **entry} for name, entry in hub.mapping[SDXL].items()]
    assert client("nscale").text_to_image("a calm sea", model=SDXL).format == "PNG"


def test_a_model_that_nobody_serves_is_not_asked_for(hub):
    with pytest.raises(ValueError, match="not supported by provider nscale"):
        client("nscale").text_to_image("a calm sea", model=FLUX_DEV)
    assert hub.generations == 0


def test_a_video_that_fails_says_why(hub):
    hub.fault("moderated")
    with pytest.raises(RuntimeError, match="NSFW"):
        client("together").text_to_video("a calm sea", model=WAN)


@pytest.mark.parametrize(
    ("fault", "error", "said"),
    [
        ("not_supported", BadRequestError, "Model not supported by provider"),
        ("credits", HfHubHTTPError, "402"),
        ("gone", HfHubHTTPError, "410"),
        ("throttled", HfHubHTTPError, "429"),
    ],
)
def test_a_refusal_is_one_to_the_client(hub, fault, error, said):
    hub.fault(fault)
    with pytest.raises(error, match=said):
        client("nscale").text_to_image("a calm sea", model=SDXL)
