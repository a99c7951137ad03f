"""Orders at Hugging Face's partners: the path and the parameters of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.inference_providers.replicate import HELD as SECONDS_OPEN

from local.stand_ins.hub import HubServer
from tests.providers.failures import facts
from tests.providers.inference_providers.calls import ROUTES, Routed, ordered
from tests.providers.payloads import image_file
from tests.providers.polling import generate, generation_failure
from tests.providers.raw_server import RawServer

ImageIn = Callable[[dict[str, Any]], Any]


def _image(body: dict[str, Any]) -> Any:
    """The image at WaveSpeed."""
    return body["image"]


def _first_frame(body: dict[str, Any]) -> Any:
    """The image of the only frame, which is the first."""
    assert body["frame_images"][0]["frame"] == "first"
    return body["frame_images"][0]["input_image"]


IMAGES: list[tuple[str, ImageIn]] = [("wavespeed animation", _image), ("together animation", _first_frame)]


@pytest.mark.parametrize(
    ("name", "path", "body"),
    [
        (
            "fal music",
            "/fal-ai/fal-ai/stable-audio?_subdomain=queue",
            {"prompt": "a calm sea", "seconds_total": 2, "steps": 20},
        ),
        (
            "fal image",
            "/fal-ai/fal-ai/flux/schnell?_subdomain=queue",
            {"image_size": {"width": 64, "height": 32}, "num_inference_steps": 4, "seed": 7},
        ),
        (
            "fal video",
            "/fal-ai/fal-ai/wan/v2.2-5b/text-to-video?_subdomain=queue",
            {"num_frames": 72, "frames_per_second": 24, "aspect_ratio": "16:9"},
        ),
        (
            "together image",
            "/together/v1/images/generations",
            {
                "model": "black-forest-labs/FLUX.1-dev",
                "response_format": "base64",
                "width": 64,
                "height": 32,
                "steps": 4,
                "guidance_scale": 3.5,
                "seed": 7,
            },
        ),
        (
            "together video",
            "/together/v2/videos",
            {"seconds": "3", "steps": 30, "guidance_scale": 5, "width": 832, "height": 480, "seed": 7},
        ),
        (
            "nscale image",
            "/nscale/v1/images/generations",
            {"response_format": "b64_json", "size": "64x32", "prompt": "a calm sea"},
        ),
        (
            "wavespeed image",
            "/wavespeed/api/v3/wavespeed-ai/flux-dev",
            {"size": "512*512", "num_inference_steps": 4, "guidance_scale": 3.5, "seed": 7},
        ),
        ("wavespeed video", "/wavespeed/api/v3/wavespeed-ai/wan-2.2/t2v-5b-720p", {"size": "1280*720", "seed": 7}),
    ],
)
def test_an_order_has_the_partners_path_and_parameters(
    routed: Routed, hub: HubServer, name: str, path: str, body: dict[str, Any]
) -> None:
    """An order has the path and the parameter names of the vendor's client; the stand-in reads no others."""
    generate(*routed(name))
    assert ordered(hub)[0] == path
    assert ordered(hub)[1].items() >= body.items()


def test_nscale_gets_only_the_parameters_it_takes(routed: Routed, hub: HubServer) -> None:
    """An order at Nscale has exactly the four fields that Nscale takes."""
    generate(*routed("nscale image"))
    assert set(ordered(hub)[1]) == {"model", "prompt", "response_format", "size"}


def test_an_order_of_a_version_names_the_version(routed: Routed, hub: HubServer) -> None:
    """An order of a Replicate version goes to the general path and names the version."""
    generate(*routed("replicate version"))
    path, body = ordered(hub)
    assert (path, body["version"]) == ("/replicate/v1/predictions", "7762fd07" * 8)


def test_replicate_is_asked_to_wait_a_few_seconds(routed: Routed, hub: HubServer) -> None:
    """An order at Replicate asks to keep the connection open for a few seconds."""
    generate(*routed("replicate image"))
    assert next(e for e in hub.requests if e.method == "POST").headers["prefer"] == f"wait={SECONDS_OPEN}"


@pytest.mark.parametrize(("steps", "taken"), [(1, 10), (50, 50), (100, 50)])
def test_togethers_steps_stay_within_its_bounds(routed: Routed, hub: HubServer, steps: int, taken: int) -> None:
    """The steps at Together are moved into its bounds, 10 to 50."""
    generate(*routed("together video", parameters={"num_inference_steps": steps}))
    assert ordered(hub)[1]["steps"] == taken


def test_an_upright_video_is_upright_at_wavespeed(routed: Routed, hub: HubServer) -> None:
    """A video that is taller than wide gets WaveSpeed's upright size."""
    generate(*routed("wavespeed video", parameters={"width": 480, "height": 832}))
    assert ordered(hub)[1]["size"] == "720*1280"


@pytest.mark.parametrize("name", ROUTES)
def test_an_order_without_parameters_has_none(routed: Routed, hub: HubServer, name: str) -> None:
    """A call without parameters sends none, so the partner's defaults are used."""
    generate(*routed(name, parameters={}))
    assert not {"width", "seed", "steps", "num_inference_steps", "seconds", "seconds_total"} & set(ordered(hub)[1])


@pytest.mark.parametrize(("name", "image"), IMAGES)
def test_a_small_image_is_part_of_the_order(routed: Routed, hub: HubServer, name: str, image: ImageIn) -> None:
    """A small input image is sent within the order."""
    generate(*routed(name))
    assert image(ordered(hub)[1])["bytes"] == len(image_file())


@pytest.mark.parametrize(("name", "image"), IMAGES)
def test_an_image_with_an_address_is_named_by_it(
    routed: Routed, hub: HubServer, server: RawServer, name: str, image: ImageIn
) -> None:
    """An input image that can be fetched is sent as its address."""
    server.says(200, image_file())
    provider, asked = routed(name, image_url=server.url)
    provider.submit(asked)
    assert image(ordered(hub)[1]) == server.url


def test_wavespeeds_size_is_the_nearest_it_makes(routed: Routed, hub: HubServer) -> None:
    """A size outside WaveSpeed's bounds is moved to the nearest size within them."""
    generate(*routed("wavespeed image", parameters={"width": 256, "height": 1600}))
    assert ordered(hub)[1]["size"] == "512*1536"


def test_too_large_an_image_is_not_sent_to_together(routed: Routed, hub: HubServer) -> None:
    """An input image over Together's limit is BAD_INPUT before anything is sent."""
    error = generation_failure(*routed("together animation", image=image_file() + bytes(60_000)))
    assert facts(error) == (FailureKind.BAD_INPUT, Charged.NO)
    assert "60,000" in error.message
    assert hub.generations == 0
