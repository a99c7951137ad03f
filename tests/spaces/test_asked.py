"""A request to the Space's app: its defaults, what it refuses, and the GPU time that it reserves."""

from __future__ import annotations

import re
from typing import Any

import pytest
from longplay.domain.catalogue import Bound, Model, Route
from longplay.domain.models_file import load_catalogue
from longplay.providers import PROVIDERS

from spaces.longplay.asked import MODELS, MOST_SECONDS, Asked, asked, seconds_needed

MUSICGEN, SVD = "facebook/musicgen-small", "stabilityai/stable-video-diffusion-img2vid-xt"
SERVED = [
    (model, route)
    for model in load_catalogue(PROVIDERS).models.values()
    for route in model.routes
    if route.provider == "space"
]


def a_request(model: str, **parameters: Any) -> Asked:
    """A request with an image to start from."""
    return asked(model, "a calm sea", parameters, "/tmp/start.png")  # noqa: S108


@pytest.mark.parametrize("model", MODELS)
def test_a_request_without_parameters_has_the_models_defaults(model: str) -> None:
    """Each model can be asked with a prompt alone, and reserves some seconds."""
    assert 0 < seconds_needed(a_request(model)) <= MOST_SECONDS


@pytest.mark.parametrize(("model", "route"), SERVED, ids=[model.name for model, _ in SERVED])
@pytest.mark.parametrize("bound", ["least", "most"])
def test_the_catalogues_parameters_are_taken_up_to_their_bounds(model: Model, route: Route, bound: str) -> None:
    """The app takes every value that a caller may send, and reserves no more than a call may."""
    assert isinstance(route.inputs, dict)
    given = {name: _value(parameter, bound) for name, parameter in model.parameters.items()}
    request = a_request(route.inputs["model"], **given)
    assert {name: request.parameters[name] for name in given if name != "genre"} == {
        name: value for name, value in given.items() if name != "genre"
    }
    assert seconds_needed(request) <= MOST_SECONDS


def _value(bound: Bound, which: str) -> Any:
    return "x" if bound.type == "text" else getattr(bound, which)


@pytest.mark.parametrize(("duration", "tokens"), [(1.1, 58), (10, 503), (30, 1503), (31, 1503)])
def test_a_track_has_fifty_tokens_a_second(duration: float, tokens: int) -> None:
    """And three that are not heard; at most as many as MusicGen can make."""
    assert a_request(MUSICGEN, duration=duration).tokens == tokens


def test_a_video_has_the_requested_duration() -> None:
    """25 frames in 4 seconds."""
    assert a_request(SVD, duration=4).frame_rate == 6.25


@pytest.mark.parametrize(
    ("model", "parameters", "image", "said"),
    [
        ("acme/xl", {}, None, "has no model acme/xl; it has facebook/musicgen-small"),
        (MUSICGEN, {"loudness": 1, "seed": 7}, None, "takes no loudness, seed; it takes duration, guidance_scale"),
        (SVD, {}, None, "animates an image, and none was sent"),
    ],
)
def test_a_request_that_cannot_be_served_is_refused_with_the_reason(
    model: str, parameters: dict[str, Any], image: str | None, said: str
) -> None:
    """Before any GPU time is used."""
    with pytest.raises(ValueError, match=re.escape(said)):
        asked(model, "a calm sea", parameters, image)
