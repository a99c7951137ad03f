"""What is asked of Hugging Face's partners, in the words of each."""

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.inference_providers.replicate import HELD as SECONDS_HELD

from tests.providers.payloads import image_file
from tests.providers.routed_calls import ROUTES, failure, ordered, settle


class TestAnOrder:
    """In the partner's words, as the vendor's client words them; the fake reads no others."""

    @pytest.mark.parametrize(
        ("name", "path", "body"),
        [
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
    def test_has_its_place_and_its_parameters(self, routed, hub, name, path, body):
        settle(*routed(name))
        assert ordered(hub)[0] == path
        assert ordered(hub)[1].items() >= body.items()

    def test_of_nscale_has_nothing_that_it_does_not_take(self, routed, hub):
        settle(*routed("nscale image"))
        assert set(ordered(hub)[1]) == {"model", "prompt", "response_format", "size"}

    def test_of_a_version_names_it_and_not_the_model(self, routed, hub):
        settle(*routed("replicate version"))
        path, body = ordered(hub)
        assert (path, body["version"]) == ("/replicate/v1/predictions", "7762fd07" * 8)

    def test_of_replicate_is_held_for_a_few_seconds(self, routed, hub):
        settle(*routed("replicate image"))
        assert next(e for e in hub.requests if e.method == "POST").headers["prefer"] == f"wait={SECONDS_HELD}"

    @pytest.mark.parametrize(("steps", "taken"), [(1, 10), (50, 50), (100, 50)])
    def test_of_together_takes_ten_steps_at_least(self, routed, hub, steps, taken):
        settle(*routed("together video", parameters={"num_inference_steps": steps}))
        assert ordered(hub)[1]["steps"] == taken

    def test_of_an_upright_video_at_wavespeed_is_upright(self, routed, hub):
        settle(*routed("wavespeed video", parameters={"width": 480, "height": 832}))
        assert ordered(hub)[1]["size"] == "720*1280"

    @pytest.mark.parametrize("name", ROUTES)
    def test_without_parameters_has_none(self, routed, hub, name):
        settle(*routed(name, parameters={}))
        assert not {"width", "seed", "steps", "num_inference_steps", "seconds"} & set(ordered(hub)[1])

    @pytest.mark.parametrize(
        ("name", "image"),
        [("wavespeed animation", lambda body: body["image"]), ("together animation", lambda body: _frame(body))],
    )
    def test_carries_a_small_image(self, routed, hub, name, image):
        settle(*routed(name))
        assert image(ordered(hub)[1])["bytes"] == len(image_file())

    @pytest.mark.parametrize(
        ("name", "image"),
        [("wavespeed animation", lambda body: body["image"]), ("together animation", lambda body: _frame(body))],
    )
    def test_names_where_an_image_can_be_fetched(self, routed, hub, server, name, image):
        server.says(200, image_file())
        provider, asked = routed(name, image_url=server.url)
        provider.submit(asked)
        assert image(ordered(hub)[1]) == server.url

    def test_of_a_size_wavespeed_does_not_make_asks_for_the_nearest(self, routed, hub):
        settle(*routed("wavespeed image", parameters={"width": 256, "height": 1600}))
        assert ordered(hub)[1]["size"] == "512*1536"

    def test_of_together_refuses_an_image_it_would_not_take(self, routed, hub):
        error = failure(*routed("together animation", image=image_file() + bytes(60_000)))
        assert (error.kind, error.charged) == (FailureKind.BAD_INPUT, Charged.NO)
        assert "60,000 characters" in error.message
        assert hub.generations == 0


def _frame(body):
    assert body["frame_images"][0]["frame"] == "first"
    return body["frame_images"][0]["input_image"]
