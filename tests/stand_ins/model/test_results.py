"""The results of the stand-in model server, and its refusals, both in the form of the real servers."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import pytest
import requests
from PIL import Image, ImageFile

from local.renderer.studio import rendered
from local.stand_ins.model import AudioShape, ModelServer
from tests.stand_ins.model.calls import ANIMATION, IMAGE, MUSIC, TIMEOUT, VIDEO, ask, png


@pytest.fixture(scope="module")
def studio() -> Iterator[ModelServer]:
    """A server for the module that renders in full quality; no test adds a fault to it."""
    with ModelServer() as server:
        yield server


def image_of(response: requests.Response) -> ImageFile.ImageFile:
    """The image in a binary answer."""
    return Image.open(io.BytesIO(response.content))


def frames_of(content: bytes) -> list[av.VideoFrame]:
    """The decoded frames of a video."""
    with av.open(io.BytesIO(content), "r") as video:
        return list(video.decode(video.streams.video[0]))


def samples_of(content: bytes) -> int:
    """The number of samples in an audio file."""
    with av.open(io.BytesIO(content), "r") as track:
        return sum(frame.samples for frame in track.decode(track.streams.audio[0]))


def test_audio_is_the_toolkits_json(studio: ModelServer) -> None:
    """100 tokens give two seconds at 32,000 samples a second, as nested lists of one channel."""
    answer = ask(studio, MUSIC, "upbeat techno", generate_kwargs={"max_new_tokens": 100}).json()
    assert answer["sampling_rate"] == 32_000
    assert np.shape(answer["audio"]) == (1, 64_000)


def test_audio_is_neither_silent_nor_clipped(studio: ModelServer) -> None:
    """A track has its usual length, a peak between 0.5 and 1, and a root mean square above 0.05."""
    samples = np.array(ask(studio, MUSIC, "smooth saxophone").json()["audio"][0])
    assert samples.size == round(256 / 50 * 32_000)
    assert 0.5 < np.abs(samples).max() < 1
    assert np.sqrt(np.mean(samples**2)) > 0.05


def test_generation_parameters_are_read(studio: ModelServer) -> None:
    """The older name of `generate_kwargs` sets the length of a track too."""
    answer = ask(studio, "/predict", generation_parameters={"max_new_tokens": 50}).json()
    assert len(answer["audio"][0]) == 32_000


@pytest.mark.parametrize("accept", ["image/png", "image/jpeg", "image/webp"])
def test_an_image_has_the_accepted_type_and_the_requested_size(studio: ModelServer, accept: str) -> None:
    """The image and its header have the type that `Accept` names, and the image has the width and height asked for."""
    response = ask(studio, IMAGE, accept=accept, width=320, height=192)
    assert response.headers["Content-Type"] == accept
    assert image_of(response).get_format_mimetype() == accept
    assert image_of(response).size == (320, 192)


def test_an_image_without_an_accepted_type_is_base64(studio: ModelServer) -> None:
    """Without a type in `Accept` the answer is a JSON string of base64."""
    response = ask(studio, IMAGE, width=64, height=64)
    assert response.headers["Content-Type"] == "application/json"
    assert Image.open(io.BytesIO(base64.b64decode(response.json()))).size == (64, 64)


@pytest.mark.parametrize(
    ("model", "pixels"),
    [("runwayml/stable-diffusion-v1-5", 512), ("stabilityai/stable-diffusion-2-1", 768)],
)
def test_a_model_has_its_usual_size(studio: ModelServer, model: str, pixels: int) -> None:
    """Without a width and a height, an image is a square of the size that the model is trained for."""
    response = ask(studio, f"/models/{model}", accept="image/png", num_inference_steps=5)
    assert image_of(response).size == (pixels, pixels)


@pytest.mark.parametrize(
    ("path", "accept", "parameters"),
    [
        (MUSIC, "*/*", {"generate_kwargs": {"max_new_tokens": 60}}),
        (IMAGE, "image/png", {"width": 128, "height": 128, "seed": 7}),
        (VIDEO, "video/mp4", {"width": 64, "height": 64, "num_frames": 3}),
    ],
)
def test_the_same_request_gives_the_same_bytes(path: str, accept: str, parameters: dict[str, Any]) -> None:
    """Two servers that render the same request send the same bytes."""

    def render() -> bytes:
        rendered.cache_clear()
        with ModelServer() as server:
            return ask(server, path, accept=accept, **parameters).content

    assert render() == render()


@pytest.mark.parametrize(
    "change", [{"seed": 8}, {"guidance_scale": 12.0}, {"num_inference_steps": 50}, {"negative_prompt": "clouds"}]
)
def test_each_parameter_changes_the_image(studio: ModelServer, change: dict[str, Any]) -> None:
    """A change of any one of these parameters changes the image."""
    plain = {"width": 128, "height": 128, "seed": 7}
    one = ask(studio, IMAGE, accept="image/png", **plain)
    other = ask(studio, IMAGE, accept="image/png", **{**plain, **change})
    assert one.content != other.content


def test_a_video_has_the_requested_frames_and_size(studio: ModelServer) -> None:
    """A video of a text has the requested number of frames, width and height."""
    response = ask(studio, VIDEO, width=96, height=64, num_frames=6, fps=3)
    frames = frames_of(response.content)
    assert response.headers["Content-Type"] == "video/mp4"
    assert (len(frames), frames[0].width, frames[0].height, frames[0].format.name) == (6, 96, 64, "yuv420p")


def test_a_video_has_the_requested_duration(studio: ModelServer) -> None:
    """A duration of 2 seconds at 4 frames a second gives 8 frames."""
    assert len(frames_of(ask(studio, VIDEO, width=64, height=64, duration=2, fps=4).content)) == 8


@pytest.mark.parametrize("prefix", ["data:image/png;base64,", ""])
def test_an_animation_has_the_proportions_of_its_image(studio: ModelServer, prefix: str) -> None:
    """An image of 160 by 80 pixels gives a video of 384 by 192, whether it is a data URI or plain base64."""
    image = prefix + base64.b64encode(png(160, 80)).decode()
    frames = frames_of(ask(studio, ANIMATION, image).content)
    assert (len(frames), frames[0].width, frames[0].height) == (25, 384, 192)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [("image/png", "image/png"), ("video/mp4", "video/mp4"), ("*/*", "application/json")],
)
def test_accept_chooses_the_task_on_the_toolkits_route(server: ModelServer, accept: str, content_type: str) -> None:
    """Without a model in the path, the type that `Accept` names decides what is made."""
    assert ask(server, "/", accept=accept).headers["Content-Type"] == content_type


def test_a_dedicated_server_runs_its_model() -> None:
    """A server of an image model answers the path `/` with an image."""
    with ModelServer(quick=True, model="stabilityai/stable-diffusion-2-1") as server:
        assert isinstance(ask(server, "/").json(), str)


def test_each_answer_says_that_no_model_made_it(server: ModelServer) -> None:
    """Each answer has a header that says so, beside the headers of the real server."""
    headers = ask(server, MUSIC).headers
    assert headers["x-longplay-stand-in"] == "rendered by procedure; no model made this"
    assert {"x-request-id", "x-compute-type", "x-compute-time"} <= set(headers)


@pytest.mark.parametrize("shape", [AudioShape.WAV, AudioShape.FLAC])
def test_a_server_can_answer_with_audio_files(shape: AudioShape) -> None:
    """The answer is a file of the chosen type, with one second for 50 tokens."""
    with ModelServer(audio=shape) as server:
        response = ask(server, MUSIC, max_new_tokens=50)
    assert response.headers["Content-Type"] == f"audio/{shape}"
    assert samples_of(response.content) == 32_000


def test_the_tutorials_handler_takes_flat_parameters() -> None:
    """The tutorial's handler reads parameters that are not nested, and refuses `generate_kwargs`."""
    with ModelServer(audio=AudioShape.TUTORIAL) as server:
        flat = ask(server, "/", max_new_tokens=50)
        nested = ask(server, "/", generate_kwargs={"max_new_tokens": 50})
    assert np.shape(flat.json()[0]["generated_audio"]) == (1, 32_000)
    assert (nested.status_code, "generate_kwargs" in nested.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    ("path", "accept", "parameters", "error"),
    [
        (MUSIC, "*/*", {"max_new_tokens": 500}, "unexpected keyword argument 'max_new_tokens'"),
        (MUSIC, "*/*", {"generate_kwargs": {"max_new_tokens": 1504}}, "1503"),
        (MUSIC, "*/*", {"generate_kwargs": {"seed": 1}}, "not used by the model: ['seed']"),
        (MUSIC, "audio/*", {}, "Audio serialization not implemented"),
        (IMAGE, "image/png", {"width": 513, "height": 512}, "divisible by 8"),
        (IMAGE, "image/png", {"width": 4096, "height": 4096}, "CUDA out of memory"),
        (IMAGE, "image/png", {"width": "512"}, "width"),
        (IMAGE, "image/png", {"seed": 10**400}, "seed"),
        (IMAGE, "image/png", {"negative_prompt": "\ud800"}, "surrogates not allowed"),
        (MUSIC, "*/*", {"generate_kwargs": "many"}, "must be a dictionary"),
        (IMAGE, "image/png", {"steps": 5}, "unexpected keyword argument 'steps'"),
        ("/predict", "image/png", {"width": 64, "height": 128}, "`height=128` and `width=64`"),
        ("/predict", "image/png", {"width": 64}, "`height=None` and `width=64`"),
        (ANIMATION, "video/mp4", {}, "cannot identify image file"),
        (VIDEO, "video/mp4", {"num_frames": 9999}, "num_frames"),
    ],
)
def test_a_request_that_the_real_server_refuses_is_refused(
    server: ModelServer, path: str, accept: str, parameters: dict[str, Any], error: str
) -> None:
    """The answer is a 400 with the real server's message, and nothing is billed."""
    response = ask(server, path, accept=accept, **parameters)
    assert response.status_code == 400
    assert error in response.json()["error"]
    assert server.generations == 0


@pytest.mark.parametrize(
    ("content_type", "body", "error"),
    [
        ("application/x-www-form-urlencoded", b'{"inputs": "sea"}', 'Content type "application/x-www-form'),
        ("application/json", b"{", "Expecting"),
        ("application/json", b'{"inputs": NaN}', "NaN"),
        (
            "application/json",
            b'{"prompt":"sea"}',
            'Body needs to provide a inputs key, received: b\'{"prompt":"sea"}\'',
        ),
    ],
)
def test_a_malformed_request_is_refused(server: ModelServer, content_type: str, body: bytes, error: str) -> None:
    """A request of another type, or without valid JSON or `inputs`, is a 400 that says what is wrong."""
    response = requests.post(server.url + MUSIC, data=body, headers={"Content-Type": content_type}, timeout=TIMEOUT)
    assert response.status_code == 400
    assert response.json()["error"].startswith(error) or error in response.json()["error"]


def test_an_unknown_path_is_a_plain_404(server: ModelServer) -> None:
    """The answer to an unknown path is a 404 in plain text, not JSON."""
    response = ask(server, "/v1/models/x")
    assert (response.status_code, response.text) == (404, "Cannot POST /v1/models/x")
