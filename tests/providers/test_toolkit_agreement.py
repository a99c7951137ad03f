"""Hugging Face's own inference toolkit, its code for requests and answers, agrees with our provider.

Only what computes is replaced: a pipeline answers with a blip or a small image, after transformers' own check of its
arguments. It needs no torch, but an environment of its own, for it wants an older huggingface-hub:

    .venv/bin/uv venv .local/toolkit
    .venv/bin/uv pip install --python .local/toolkit -r lambdas/requirements.txt -r local/requirements.txt \\
        -r tests/requirements.txt
    .venv/bin/uv pip install --python .local/toolkit -r tests/toolkit-requirements.txt
    .venv/bin/uv pip install --python .local/toolkit --no-deps sagemaker-huggingface-inference-toolkit==2.6.0
    .local/toolkit/bin/python -m pytest tests/providers/test_toolkit_agreement.py
"""

import json
import warnings
import wave

import numpy as np
import pytest
from longplay.domain.errors import Charged, FailureKind
from PIL import Image

from tests.providers.conftest import answer

TOOLKIT = "sagemaker_huggingface_inference_toolkit"
RATE = 32_000

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def parts():
    """The toolkit's handler, its refusal, its wrapper around diffusers, and transformers' pipeline for sound."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip(TOOLKIT, reason="not installed: see this file's first lines")
        from mms.service import PredictionException
        from sagemaker_huggingface_inference_toolkit.diffusers_utils import SMDiffusionPipelineForText2Image
        from sagemaker_huggingface_inference_toolkit.handler_service import HuggingFaceHandlerService
        from transformers.pipelines.text_to_audio import TextToAudioPipeline
    return HuggingFaceHandlerService, PredictionException, SMDiffusionPipelineForText2Image, TextToAudioPipeline


class MusicGen:
    """Sound for a prompt, as transformers nests it; its arguments are checked by the pipeline's own class."""

    def __init__(self, pipeline, depth):
        self.pipeline, self.depth = pipeline, depth

    def __call__(self, prompt, **parameters):
        _, forward, _ = self.pipeline._sanitize_parameters(self, **parameters)
        self.asked = (prompt, forward["generate_kwargs"])
        sound = np.sin(np.arange(self.asked[1]["max_new_tokens"] * RATE // 50, dtype=np.float32) / 20)
        return {"audio": sound.reshape((1,) * (self.depth - 1) + (-1,)), "sampling_rate": RATE}


class StableDiffusion:
    """An image for a prompt; its arguments are those of diffusers' pipeline (0.35) that a route may ask for."""

    taken = frozenset(
        {"width", "height", "num_inference_steps", "guidance_scale", "negative_prompt", "num_images_per_prompt"}
    )

    def __call__(self, prompt, **arguments):
        if unknown := sorted(set(arguments) - self.taken):
            raise TypeError(f"StableDiffusionPipeline.__call__() got an unexpected keyword argument '{unknown[0]}'")
        self.asked = prompt
        self.images = [Image.new("RGB", (arguments["width"], arguments["height"]), "teal")]
        return self


@pytest.fixture
def serve(server, parts):
    """Let the toolkit answer what the server is asked, with this model."""
    handler, refusal, *_ = parts

    def make(model):
        service = handler()
        service.initialized, service.model = True, model

        def script(connection):
            asked = server.requests[-1]
            context = Context(asked.headers)
            try:
                body = service.handle([{"body": asked.body}], context)[0]
                sent = body if isinstance(body, bytes) else body.encode()
                connection.sendall(answer(200, sent, {"Content-Type": context.answered}))
            except refusal as error:
                refused = {"code": error.error_code, "type": "InternalServerException", "message": error.message}
                connection.sendall(answer(400, json.dumps(refused).encode(), {"Content-Type": "application/json"}))

        server.script = script
        return model

    return make


class Context:
    """What the model server tells a handler about a request."""

    def __init__(self, headers):
        self.headers, self.answered = headers, None
        self.request_processor, self.metrics = [self], self

    def get_request_properties(self):
        return self.headers

    def add_time(self, *_):
        """Nobody measures it."""

    def set_response_content_type(self, _, content_type):
        self.answered = content_type


@pytest.fixture
def musicgen(parts, serve):
    return lambda depth=2: serve(MusicGen(parts[3], depth))


@pytest.fixture
def diffusion(parts, serve):
    wrapper = parts[2].__new__(parts[2])
    wrapper.pipeline = StableDiffusion()
    return serve(wrapper)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_track_is_asked_for_and_read_however_deep_its_sound_is_nested(musicgen, submit, depth):
    model = musicgen(depth)
    track = submit("music", parameters={"duration": 1.5, "guidance_scale": 4.0}).files[0]
    assert model.asked == ("slow jazz", {"do_sample": True, "guidance_scale": 4.0, "max_new_tokens": 75})
    with wave.open(str(track.path)) as file:
        assert (file.getframerate(), file.getnframes()) == (RATE, 48_000)


def test_arguments_that_lie_flat_are_refused_by_transformers_and_cost_nothing(musicgen, failure):
    """Which is why a route's style says how its server wants them."""
    musicgen()
    error = failure("music", style="flat")
    assert (error.kind, error.charged) == (FailureKind.BAD_INPUT, Charged.NO)
    assert "unexpected keyword argument" in error.message


@pytest.mark.parametrize("size", [(64, 64), (96, 64)])
def test_an_image_is_asked_for_and_read(diffusion, submit, size):
    width, height = size
    parameters = {"width": width, "height": height, "num_inference_steps": 4, "guidance_scale": 7.5}
    image = submit("image", parameters=parameters).files[0]
    assert (image.content_type, image.width, image.height) == ("image/png", width, height)


def test_an_image_packed_into_json_is_read_too(diffusion, server, submit):
    """As SageMaker's asynchronous endpoints answer, whatever type was asked for."""
    toolkit = server.script

    def script(connection):
        server.requests[-1].headers["accept"] = "application/json"
        toolkit(connection)

    server.script = script
    parameters = {"width": 64, "height": 64, "num_inference_steps": 4, "guidance_scale": 7.5}
    assert submit("image", parameters=parameters).files[0].content_type == "image/png"


def test_a_seed_is_refused_by_this_toolkit(diffusion, failure):
    """Which is why the routes to it say that they ignore one."""
    parameters = {"width": 64, "height": 64, "num_inference_steps": 4, "guidance_scale": 7.5, "seed": 7}
    assert failure("image", parameters=parameters).kind is FailureKind.BAD_INPUT
