"""The input that each model at fal gets."""

from __future__ import annotations

import pytest

from tests.providers.own_apis.table import InputFor
from tests.providers.payloads import image_file, image_in


def test_flux_has_one_size_and_no_negative_prompt(input_for: InputFor) -> None:
    """FLUX gets width and height as one `image_size`, and no negative prompt."""
    parameters = {"width": 1024, "height": 768, "num_inference_steps": 4, "seed": 7, "negative_prompt": "blur"}
    assert input_for("flux", parameters=parameters) == {
        "prompt": "slow jazz",
        "output_format": "png",
        "num_inference_steps": 4,
        "seed": 7,
        "image_size": {"width": 1024, "height": 768},
    }


def test_flux_without_a_size_has_none(input_for: InputFor) -> None:
    """Without width and height, FLUX gets no size, so fal's default is used."""
    assert input_for("dev") == {"prompt": "slow jazz", "output_format": "png", "guidance_scale": 3.5}


def test_sdxl_has_fifty_steps_at_most(input_for: InputFor) -> None:
    """Stable Diffusion XL gets at most 50 steps, and all its other parameters."""
    parameters = {"num_inference_steps": 100, "guidance_scale": 7.5, "negative_prompt": "blur", "seed": 0}
    assert input_for("image", parameters=parameters) == {
        "prompt": "slow jazz",
        "format": "png",
        "num_inference_steps": 50,
        "guidance_scale": 7.5,
        "negative_prompt": "blur",
        "seed": 0,
    }


def test_stable_audio_is_in_whole_seconds(input_for: InputFor) -> None:
    """Stable Audio gets its duration in whole seconds, rounded up."""
    sent = input_for("music", parameters={"duration": 7.2, "num_inference_steps": 50, "genre": "jazz"})
    assert sent == {"prompt": "slow jazz", "seconds_total": 8, "steps": 50}


def test_stable_audio_25_takes_guidance_and_a_seed(input_for: InputFor) -> None:
    """Stable Audio 2.5 also gets guidance and a seed."""
    parameters = {"duration": 30, "num_inference_steps": 8, "guidance_scale": 1.5, "seed": 3}
    assert input_for("newer", parameters=parameters) == {
        "prompt": "slow jazz",
        "seconds_total": 30,
        "num_inference_steps": 8,
        "guidance_scale": 1.5,
        "seed": 3,
    }


def test_ace_step_is_instrumental_and_keeps_its_duration(input_for: InputFor) -> None:
    """ACE-Step gets its duration as it is, and sings nothing."""
    parameters = {"genre": "jazz", "duration": 7.5, "num_inference_steps": 20, "seed": 3}
    assert input_for("ace", parameters=parameters) == {
        "prompt": "slow jazz",
        "instrumental": True,
        "duration": 7.5,
        "number_of_steps": 20,
        "seed": 3,
    }


def test_wan_animates_an_image_at_sixteen_frames_a_second(input_for: InputFor) -> None:
    """The duration becomes frames, and the image is sent within the request."""
    sent = input_for("animated", parameters={"duration": 3, "seed": 3})
    assert image_in(sent.pop("image_url")) == image_file()
    assert sent == {
        "prompt": "slow jazz",
        "resolution": "580p",
        "seed": 3,
        "num_frames": 48,
        "frames_per_second": 16,
    }


@pytest.mark.parametrize(("duration", "frames", "rate"), [(0.5, 17, 34), (2, 48, 24), (5, 120, 24), (10, 161, 16)])
def test_wans_duration_becomes_frames_and_a_rate(input_for: InputFor, duration: float, frames: int, rate: int) -> None:
    """Wan gets a number of frames within its bounds, and the rate that gives the asked duration."""
    sent = input_for("video", parameters={"duration": duration})
    assert sent == {"prompt": "slow jazz", "num_frames": frames, "frames_per_second": rate}


@pytest.mark.parametrize(
    ("size", "aspect", "resolution"),
    [
        ((832, 480), "16:9", "580p"),
        ((1280, 720), "16:9", "720p"),
        ((480, 832), "9:16", "580p"),
        ((1024, 1024), "1:1", "720p"),
    ],
)
def test_wan_has_the_nearest_proportions(
    input_for: InputFor, size: tuple[int, int], aspect: str, resolution: str
) -> None:
    """Wan gets the nearest of its proportions and resolutions."""
    sent = input_for("video", parameters={"width": size[0], "height": size[1]})
    assert (sent["aspect_ratio"], sent["resolution"]) == (aspect, resolution)


def test_wans_steps_and_guidance_stay_within_bounds(input_for: InputFor) -> None:
    """Wan's steps and guidance are moved into its bounds."""
    sent = input_for("video", parameters={"num_inference_steps": 1, "guidance_scale": 20})
    assert (sent["num_inference_steps"], sent["guidance_scale"]) == (2, 10)


@pytest.mark.parametrize(("duration", "rate"), [(1, 25), (2, 12), (5, 10)])
def test_stable_video_has_ten_frames_a_second_at_least(input_for: InputFor, duration: float, rate: int) -> None:
    """Stable Video Diffusion's rate follows the duration, with at least 10 frames a second."""
    sent = input_for("animation", parameters={"duration": duration, "num_inference_steps": 25, "seed": 1})
    assert image_in(sent.pop("image_url")) == image_file()
    assert sent == {"fps": rate, "seed": 1}


def test_an_image_that_fal_can_fetch_is_named(input_for: InputFor) -> None:
    """An input image with a public address is sent as that address."""
    assert input_for("animation", image_url="https://bucket.example/x?sig=1")["image_url"].startswith("https://")


def test_an_image_on_this_machine_is_part_of_the_input(input_for: InputFor) -> None:
    """An input image whose address is on this machine is sent within the input."""
    assert input_for("animation", image_url="http://127.0.0.1:4566/x")["image_url"].startswith("data:image/png;")
