"""The results of the stand-in model server, and its refusals, which are those of the real servers."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import pytest
import requests
from PIL import Image

from local.renderer.studio import rendered
from local.stand_ins.model import AudioShape, ModelServer
from tests.stand_ins.model.calls import ANIMATION, IMAGE, MUSIC, TIMEOUT, VIDEO, ask


@pytest.fixture(scope="module")
def studio() -> Iterator[ModelServer]:
    """A server that renders in earnest; nothing is broken in it."""
    with ModelServer() as server:
        yield server


def image_of(response: requests.Response) -> Image.Image:
    """The image in a binary answer."""
    return Image.open(io.BytesIO(response.content))


def frames_of(content: bytes) -> list[Any]:
    """The decoded frames of a video."""
    with av.open(io.BytesIO(content)) as video:
        return list(video.decode(video=0))


def png(width: int, height: int) -> bytes:
    """A small PNG to animate."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(file, format="PNG")
    return file.getvalue()


def test_audio_is_the_toolkits_json_of_the_asked_length(studio: ModelServer) -> None:
    answer = ask(studio, MUSIC, "upbeat techno", generate_kwargs={"max_new_tokens": 100}).json()
    assert answer["sampling_rate"] == 32_000
    assert np.shape(answer["audio"]) == (1, 64_000)


def test_audio_is_neither_silent_nor_clipped(studio: ModelServer) -> None:
    samples = np.array(ask(studio, MUSIC, "smooth saxophone").json()["audio"][0])
    assert samples.size == round(256 / 50 * 32_000)
    assert 0.5 < np.abs(samples).max() < 1
    assert np.sqrt(np.mean(samples**2)) > 0.05


def test_the_older_name_of_generate_arguments_is_taken(studio: ModelServer) -> None:
    answer = ask(studio, "/predict", generation_parameters={"max_new_tokens": 50}).json()
    assert len(answer["audio"][0]) == 32_000


@pytest.mark.parametrize("accept", ["image/png", "image/jpeg", "image/webp"])
def test_an_image_has_the_accepted_type_and_the_asked_size(studio: ModelServer, accept: str) -> None:
    response = ask(studio, IMAGE, accept=accept, width=320, height=192)
    assert response.headers["Content-Type"] == accept
    assert image_of(response).get_format_mimetype() == accept
    assert image_of(response).size == (320, 192)


def test_an_image_nobody_named_a_type_for_is_base64_in_json(studio: ModelServer) -> None:
    response = ask(studio, IMAGE, width=64, height=64)
    assert response.headers["Content-Type"] == "application/json"
    assert Image.open(io.BytesIO(base64.b64decode(response.json()))).size == (64, 64)


@pytest.mark.parametrize(
    ("model", "pixels"),
    [("runwayml/stable-diffusion-v1-5", 512), ("stabilityai/stable-diffusion-2-1", 768)],
)
def test_a_model_has_its_usual_size(studio: ModelServer, model: str, pixels: int) -> None:
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
    def render() -> bytes:
        rendered.cache_clear()
        with ModelServer() as server:
            return ask(server, path, accept=accept, **parameters).content

    assert render() == render()


@pytest.mark.parametrize(
    "change", [{"seed": 8}, {"guidance_scale": 12.0}, {"num_inference_steps": 50}, {"negative_prompt": "clouds"}]
)
def test_every_parameter_of_an_image_tells(studio: ModelServer, change: dict[str, Any]) -> None:
    plain = {"width": 128, "height": 128, "seed": 7}
    one = ask(studio, IMAGE, accept="image/png", **plain)
    other = ask(studio, IMAGE, accept="image/png", **{**plain, **change})
    assert one.content != other.content


def test_text_to_video_has_the_asked_frames_and_size(studio: ModelServer) -> None:
    response = ask(studio, VIDEO, width=96, height=64, num_frames=6, fps=3)
    frames = frames_of(response.content)
    assert response.headers["Content-Type"] == "video/mp4"
    assert (len(frames), frames[0].width, frames[0].height, frames[0].format.name) == (6, 96, 64, "yuv420p")


def test_a_video_can_be_asked_by_duration(studio: ModelServer) -> None:
    assert len(frames_of(ask(studio, VIDEO, width=64, height=64, duration=2, fps=4).content)) == 8


@pytest.mark.parametrize("prefix", ["data:image/png;base64,", ""])
def test_an_image_is_animated_in_its_proportions(studio: ModelServer, prefix: str) -> None:
    image = prefix + base64.b64encode(png(160, 80)).decode()
    frames = frames_of(ask(studio, ANIMATION, image).content)
    assert (len(frames), frames[0].width, frames[0].height) == (25, 384, 192)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [("image/png", "image/png"), ("video/mp4", "video/mp4"), ("*/*", "application/json")],
)
def test_the_toolkits_own_route_goes_by_accept(server: ModelServer, accept: str, content_type: str) -> None:
    assert ask(server, "/", accept=accept).headers["Content-Type"] == content_type


def test_a_dedicated_server_knows_its_model() -> None:
    with ModelServer(quick=True, model="stabilityai/stable-diffusion-2-1") as server:
        assert isinstance(ask(server, "/").json(), str)


def test_an_answer_says_plainly_that_no_model_made_it(server: ModelServer) -> None:
    headers = ask(server, MUSIC).headers
    assert headers["x-longplay-stand-in"] == "rendered by procedure; no model made this"
    assert {"x-request-id", "x-compute-type", "x-compute-time"} <= set(headers)


@pytest.mark.parametrize("shape", [AudioShape.WAV, AudioShape.FLAC])
def test_a_server_may_answer_audio_files(shape: AudioShape) -> None:
    with ModelServer(audio=shape) as server:
        response = ask(server, MUSIC, max_new_tokens=50)
    assert response.headers["Content-Type"] == f"audio/{shape}"
    with av.open(io.BytesIO(response.content)) as track:
        assert sum(frame.samples for frame in track.decode(audio=0)) == 32_000


def test_the_tutorials_handler_takes_flat_parameters() -> None:
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
def test_what_the_real_server_refuses_is_refused(
    server: ModelServer, path: str, accept: str, parameters: dict[str, Any], error: str
) -> None:
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
def test_a_malformed_request_is_told_why(server: ModelServer, content_type: str, body: bytes, error: str) -> None:
    response = requests.post(server.url + MUSIC, data=body, headers={"Content-Type": content_type}, timeout=TIMEOUT)
    assert response.status_code == 400
    assert response.json()["error"].startswith(error) or error in response.json()["error"]


def test_an_unknown_route_is_plain_text(server: ModelServer) -> None:
    response = ask(server, "/v1/models/x")
    assert (response.status_code, response.text) == (404, "Cannot POST /v1/models/x")
