"""What is Replicate's own: how a prediction is ordered, and what each model is sent."""

import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.replicate.inputs import LARGEST_IMAGE

from tests.providers.own_apis.table import REPLICATE
from tests.providers.replicate_calls import CALLBACK, MUSICGEN, image_file, image_in


@pytest.fixture
def own():
    return REPLICATE


class TestTheOrder:
    def test_of_a_version_names_it(self, server, submit):
        server.says(201, REPLICATE.taken)
        submit(callback_url=CALLBACK)
        assert server.requests[0].line == "POST /v1/predictions HTTP/1.1"
        assert server.requests[0].json == {
            "version": MUSICGEN,
            "input": {"prompt": "slow jazz", "model_version": "large", "output_format": "wav", "duration": 1},
            "webhook": CALLBACK,
            "webhook_events_filter": ["completed"],
        }

    def test_of_an_official_model_goes_to_its_own_address(self, server, submit):
        server.says(201, REPLICATE.taken)
        submit("flux", url=f"http://127.0.0.1:{server.port}/")
        assert server.requests[0].line == "POST /v1/models/black-forest-labs/flux-schnell/predictions HTTP/1.1"
        assert server.requests[0].json == {"input": {"prompt": "slow jazz", "output_format": "png", "go_fast": True}}

    @pytest.mark.parametrize(("seconds", "sent"), [(3600.0, "3600s"), (99.7, "99s"), (0.5, "5s"), (-3, "5s")])
    def test_is_called_off_when_the_jobs_time_is_up(self, server, submit, seconds, sent):
        server.says(201, REPLICATE.taken)
        submit(ends_within=seconds)
        assert server.requests[0].headers["cancel-after"] == sent


class TestTheInput:
    def test_of_musicgen_is_in_whole_seconds_and_whole_guidance(self, input_for):
        parameters = {"genre": "jazz", "duration": 7.2, "guidance_scale": 3.0, "seed": 7}
        assert input_for("music", parameters=parameters) == {
            "prompt": "slow jazz",
            "model_version": "large",
            "output_format": "wav",
            "duration": 8,
            "classifier_free_guidance": 3,
            "seed": 7,
        }

    def test_of_stable_diffusion_is_ours_as_it_is(self, input_for):
        parameters = {
            "width": 1024,
            "height": 768,
            "num_inference_steps": 30,
            "guidance_scale": 7.5,
            "negative_prompt": "blur",
            "seed": 0,
        }
        assert input_for("image", parameters=parameters) == {"prompt": "slow jazz", **parameters}

    @pytest.mark.parametrize(
        ("size", "aspect", "megapixels"),
        [
            ((1024, 1024), "1:1", "1"),
            ((512, 512), "1:1", "0.25"),
            ((1280, 720), "16:9", "1"),
            ((720, 1280), "9:16", "1"),
            ((832, 1216), "2:3", "1"),
            ((4000, 100), "21:9", "0.25"),
        ],
    )
    def test_of_flux_has_the_nearest_proportions(self, input_for, size, aspect, megapixels):
        sent = input_for("flux", parameters={"width": size[0], "height": size[1]})
        assert (sent["aspect_ratio"], sent["megapixels"]) == (aspect, megapixels)

    def test_of_flux_with_a_seed_is_not_hurried(self, input_for):
        sent = input_for("flux", parameters={"seed": 7, "num_inference_steps": 4})
        assert (sent["seed"], sent["num_inference_steps"], sent["go_fast"]) == (7, 4, False)

    @pytest.mark.parametrize(("duration", "rate"), [(2, 12), (4, 6), (5, 5), (0.5, 30)])
    def test_of_stable_video_diffusion_is_as_long_as_its_rate_makes_it(self, input_for, duration, rate):
        sent = input_for("animation", parameters={"duration": duration, "num_inference_steps": 25})
        assert image_in(sent.pop("input_image")) == image_file()
        assert sent == {"video_length": "25_frames_with_svd_xt", "frames_per_second": rate}

    @pytest.mark.parametrize(("duration", "frames", "rate"), [(2, 81, 30), (3, 81, 27), (4, 96, 24), (5, 120, 24)])
    def test_of_wan_is_as_long_as_its_frames_allow(self, input_for, duration, frames, rate):
        sent = input_for("video", parameters={"duration": duration, "width": 480, "height": 832})
        assert sent == {
            "prompt": "slow jazz",
            "num_frames": frames,
            "frames_per_second": rate,
            "aspect_ratio": "9:16",
        }

    def test_of_flux_dev_calls_guidance_by_its_own_name(self, input_for):
        assert input_for("flux", parameters={"guidance_scale": 3.5})["guidance"] == 3.5

    def test_with_a_large_image_names_its_address(self, input_for):
        url = "https://bucket.example/x?sig=1"
        assert input_for("animation", image=bytes(LARGEST_IMAGE + 1), image_url=url)["input_image"] == url

    def test_with_a_small_image_holds_it(self, input_for):
        sent = input_for("animation", image_url="https://bucket.example/x?sig=1")
        assert image_in(sent["input_image"]) == image_file()

    @pytest.mark.parametrize("image_url", [None, "http://127.0.0.1:4566/x", "ftp://x"])
    def test_with_too_large_an_image_that_lies_nowhere_is_not_sent(self, input_for, image_url):
        with pytest.raises(ProviderError) as caught:
            input_for("animation", image=bytes(LARGEST_IMAGE + 1), image_url=image_url)
        assert (caught.value.kind, caught.value.charged) == (FailureKind.BAD_INPUT, Charged.NO)
        assert "256,001" in caught.value.message
