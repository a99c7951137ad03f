"""The input that each model at Replicate gets."""

from __future__ import annotations

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.providers.replicate.inputs import LARGEST_IMAGE

from tests.providers.failures import facts, raised
from tests.providers.own_apis.table import InputFor
from tests.providers.payloads import image_file, image_in


def test_musicgen_has_whole_seconds_and_whole_guidance(input_for: InputFor) -> None:
    """MusicGen gets its duration and its guidance as whole numbers."""
    parameters = {"genre": "jazz", "duration": 7.2, "guidance_scale": 3.0, "seed": 7}
    assert input_for("music", parameters=parameters) == {
        "prompt": "slow jazz",
        "model_version": "large",
        "output_format": "wav",
        "duration": 8,
        "classifier_free_guidance": 3,
        "seed": 7,
    }


def test_stable_audio_has_its_own_names_and_whole_seconds(input_for: InputFor) -> None:
    """Stable Audio 2.5 gets steps, guidance and the duration by its own names."""
    parameters = {"genre": "jazz", "duration": 7.2, "num_inference_steps": 8, "guidance_scale": 1.5, "seed": 7}
    assert input_for("long", parameters=parameters) == {
        "prompt": "slow jazz",
        "duration": 8,
        "steps": 8,
        "cfg_scale": 1.5,
        "seed": 7,
    }


def test_stable_diffusions_parameters_are_unchanged(input_for: InputFor) -> None:
    """Stable Diffusion gets the call's parameters unchanged."""
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
def test_flux_has_the_nearest_proportions(
    input_for: InputFor, size: tuple[int, int], aspect: str, megapixels: str
) -> None:
    """FLUX gets the nearest of its proportions and sizes."""
    sent = input_for("flux", parameters={"width": size[0], "height": size[1]})
    assert (sent["aspect_ratio"], sent["megapixels"]) == (aspect, megapixels)


def test_flux_with_a_seed_is_not_in_fast_mode(input_for: InputFor) -> None:
    """With a seed, FLUX does not run in its fast mode, which would not honor it."""
    sent = input_for("flux", parameters={"seed": 7, "num_inference_steps": 4})
    assert (sent["seed"], sent["num_inference_steps"], sent["go_fast"]) == (7, 4, False)


@pytest.mark.parametrize(("duration", "rate"), [(2, 12), (4, 6), (5, 5), (0.5, 30)])
def test_stable_videos_duration_becomes_a_rate(input_for: InputFor, duration: float, rate: int) -> None:
    """Stable Video Diffusion gets 25 frames, and the rate that gives the asked duration."""
    sent = input_for("animation", parameters={"duration": duration, "num_inference_steps": 25})
    assert image_in(sent.pop("input_image")) == image_file()
    assert sent == {"video_length": "25_frames_with_svd_xt", "frames_per_second": rate}


@pytest.mark.parametrize(("duration", "frames", "rate"), [(2, 81, 30), (3, 81, 27), (4, 96, 24), (5, 120, 24)])
def test_wans_duration_becomes_frames_and_a_rate(input_for: InputFor, duration: float, frames: int, rate: int) -> None:
    """Wan gets a number of frames within its bounds, and the rate that gives the asked duration."""
    sent = input_for("video", parameters={"duration": duration, "width": 480, "height": 832})
    assert sent == {
        "prompt": "slow jazz",
        "num_frames": frames,
        "frames_per_second": rate,
        "aspect_ratio": "9:16",
    }


def test_flux_names_its_guidance(input_for: InputFor) -> None:
    """FLUX gets the guidance scale as `guidance`."""
    assert input_for("flux", parameters={"guidance_scale": 3.5})["guidance"] == 3.5


def test_a_large_image_is_named_by_its_address(input_for: InputFor) -> None:
    """A large input image is sent as its address."""
    url = "https://bucket.example/x?sig=1"
    assert input_for("animation", image=bytes(LARGEST_IMAGE + 1), image_url=url)["input_image"] == url


def test_a_small_image_is_part_of_the_input(input_for: InputFor) -> None:
    """A small input image is sent within the input, although it has an address."""
    sent = input_for("animation", image_url="https://bucket.example/x?sig=1")
    assert image_in(sent["input_image"]) == image_file()


@pytest.mark.parametrize("image_url", [None, "http://127.0.0.1:4566/x", "ftp://x"])
def test_a_large_image_without_a_public_address_is_refused(input_for: InputFor, image_url: str | None) -> None:
    """A large input image without a public address is BAD_INPUT and free."""
    error = raised(input_for, "animation", image=bytes(LARGEST_IMAGE + 1), image_url=image_url)
    assert facts(error) == (FailureKind.BAD_INPUT, Charged.NO)
    assert "256,001" in error.message
