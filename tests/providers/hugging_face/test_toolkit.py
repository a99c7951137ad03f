"""Hugging Face's inference toolkit for SageMaker: its code reads our requests, and we read its answers.

Only the computation is replaced: a pipeline answers with a short sound or a small image, after transformers' own check
of its arguments. The toolkit needs no torch, but a separate environment, because it needs an older huggingface-hub:

    .venv/bin/uv venv .local/sagemaker-toolkit
    .venv/bin/uv pip install --python .local/sagemaker-toolkit -r lambdas/requirements.txt -r local/requirements.txt \\
        -r tests/requirements.txt
    .venv/bin/uv pip install --python .local/sagemaker-toolkit -r tests/sagemaker-toolkit-requirements.txt
    .venv/bin/uv pip install --python .local/sagemaker-toolkit --no-deps sagemaker-huggingface-inference-toolkit==2.6.0
    .local/sagemaker-toolkit/bin/python -m pytest tests/providers/hugging_face/test_toolkit.py
"""

from __future__ import annotations

import json
import socket
import warnings
import wave
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from longplay.domain.errors import Charged, FailureKind
from PIL import Image

from tests.providers.failures import facts
from tests.providers.hugging_face.calls import Failure, Submit
from tests.providers.raw_server import RawServer, answer

TOOLKIT = "sagemaker_huggingface_inference_toolkit"
RATE = 32_000

MakeMusicGen = Callable[..., "MusicGen"]
Serve = Callable[[Any], Any]

pytestmark = [pytest.mark.toolkit, pytest.mark.filterwarnings("ignore")]


@dataclass(frozen=True, kw_only=True)
class Toolkit:
    """The toolkit's handler, its refusal, its wrapper for diffusers, and transformers' pipeline for sound."""

    handler: Any
    refusal: Any
    diffusers: Any
    sound: Any


@pytest.fixture(scope="module")
def toolkit() -> Toolkit:
    """The toolkit, if it is installed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip(TOOLKIT, reason="not installed: see this file's first lines")
        return Toolkit(
            handler=import_module(f"{TOOLKIT}.handler_service").HuggingFaceHandlerService,
            refusal=import_module("mms.service").PredictionException,
            diffusers=import_module(f"{TOOLKIT}.diffusers_utils").SMDiffusionPipelineForText2Image,
            sound=import_module("transformers.pipelines.text_to_audio").TextToAudioPipeline,
        )


class MusicGen:
    """Sound for a prompt, nested as by transformers; the pipeline's own class checks the arguments."""

    def __init__(self, pipeline: Any, depth: int) -> None:
        self.pipeline, self.depth = pipeline, depth
        self.asked: tuple[str, dict[str, Any]]

    def __call__(self, prompt: str, **parameters: Any) -> dict[str, Any]:
        _, forward, _ = self.pipeline._sanitize_parameters(self, **parameters)
        self.asked = (prompt, forward["generate_kwargs"])
        sound = np.sin(np.arange(self.asked[1]["max_new_tokens"] * RATE // 50, dtype=np.float32) / 20)
        return {"audio": sound.reshape((1,) * (self.depth - 1) + (-1,)), "sampling_rate": RATE}


class StableDiffusion:
    """An image for a prompt; it takes those arguments of diffusers' pipeline (0.35) that a route can send."""

    taken = frozenset(
        {"width", "height", "num_inference_steps", "guidance_scale", "negative_prompt", "num_images_per_prompt"}
    )

    def __call__(self, prompt: str, **arguments: Any) -> StableDiffusion:
        if unknown := sorted(set(arguments) - self.taken):
            raise TypeError(f"StableDiffusionPipeline.__call__() got an unexpected keyword argument '{unknown[0]}'")
        self.asked = prompt
        self.images = [Image.new("RGB", (arguments["width"], arguments["height"]), "teal")]
        return self


@pytest.fixture
def serve(server: RawServer, toolkit: Toolkit) -> Serve:
    """Lets the toolkit answer the server's requests with this model."""

    def make(model: Any) -> Any:
        service = toolkit.handler()
        service.initialized, service.model = True, model

        def script(connection: socket.socket) -> None:
            asked = server.requests[-1]
            context = Context(asked.headers)
            try:
                body = service.handle([{"body": asked.body}], context)[0]
                sent = body if isinstance(body, bytes) else body.encode()
                connection.sendall(answer(200, sent, {"Content-Type": context.answered}))
            except toolkit.refusal as error:
                refused = {"code": error.error_code, "type": "InternalServerException", "message": error.message}
                connection.sendall(answer(400, json.dumps(refused).encode(), {"Content-Type": "application/json"}))

        server.script = script
        return model

    return make


class Context:
    """The context of a request, as the model server gives it to a handler."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers, self.answered = headers, ""
        self.request_processor, self.metrics = [self], self

    def get_request_properties(self) -> dict[str, str]:
        """The headers of the request."""
        return self.headers

    def add_time(self, *_: object) -> None:
        """Does nothing: no time is measured."""

    def set_response_content_type(self, _: object, content_type: str) -> None:
        """Keep the type of the answer."""
        self.answered = content_type


@pytest.fixture
def musicgen(toolkit: Toolkit, serve: Serve) -> MakeMusicGen:
    """Serves MusicGen, with its sound nested this deep."""

    def make(depth: int = 2) -> MusicGen:
        model = MusicGen(toolkit.sound, depth)
        serve(model)
        return model

    return make


@pytest.fixture
def diffusion(toolkit: Toolkit, serve: Serve) -> Any:
    """Serves Stable Diffusion."""
    wrapper = toolkit.diffusers.__new__(toolkit.diffusers)
    wrapper.pipeline = StableDiffusion()
    return serve(wrapper)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_toolkit_generates_sound(musicgen: MakeMusicGen, submit: Submit, depth: int) -> None:
    """The toolkit understands a request for music, and its sound is read at any depth of nesting."""
    model = musicgen(depth)
    track = submit("music", parameters={"duration": 1.5, "guidance_scale": 4.0}).files[0]
    assert model.asked == ("slow jazz", {"do_sample": True, "guidance_scale": 4.0, "max_new_tokens": 75})
    with wave.open(str(track.path)) as file:
        assert (file.getframerate(), file.getnframes()) == (RATE, 48_000)


def test_flat_arguments_are_refused_free_of_charge(musicgen: MakeMusicGen, failure: Failure) -> None:
    """Flat arguments are BAD_INPUT and free: this is why a route names its server's style."""
    musicgen()
    error = failure("music", style="flat")
    assert facts(error) == (FailureKind.BAD_INPUT, Charged.NO)
    assert "unexpected keyword argument" in error.message


@pytest.mark.parametrize("size", [(64, 64), (96, 64)])
def test_the_toolkit_generates_an_image(diffusion: Any, submit: Submit, size: tuple[int, int]) -> None:
    """The toolkit understands a request for an image, and its image is read."""
    width, height = size
    parameters = {"width": width, "height": height, "num_inference_steps": 4, "guidance_scale": 7.5}
    image = submit("image", parameters=parameters).files[0]
    assert (image.content_type, image.width, image.height) == ("image/png", width, height)


def test_an_image_in_json_is_read(diffusion: Any, server: RawServer, submit: Submit) -> None:
    """An image in JSON is read; SageMaker's asynchronous endpoints answer so for any accepted type."""
    answer_as_usual = server.script

    def script(connection: socket.socket) -> None:
        server.requests[-1].headers["accept"] = "application/json"
        answer_as_usual(connection)

    server.script = script
    parameters = {"width": 64, "height": 64, "num_inference_steps": 4, "guidance_scale": 7.5}
    assert submit("image", parameters=parameters).files[0].content_type == "image/png"


def test_the_toolkit_refuses_a_seed(diffusion: Any, failure: Failure) -> None:
    """A seed is BAD_INPUT: this is why the routes to the toolkit say that they ignore it."""
    parameters = {"width": 64, "height": 64, "num_inference_steps": 4, "guidance_scale": 7.5, "seed": 7}
    assert failure("image", parameters=parameters).kind is FailureKind.BAD_INPUT
