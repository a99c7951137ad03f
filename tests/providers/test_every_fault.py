"""Every fault the stand-in model server can play, held against its own count of what it would have billed."""

import io

import pytest
from longplay.domain.errors import Charged, FailureKind, ProviderError
from longplay.providers.hugging_face.adapter import HuggingFace
from longplay.providers.protocol import Call
from PIL import Image

from local.stand_ins.model import AudioShape, ModelServer
from local.stand_ins.model.faults import FAULTS

MODELS = {
    "music": ("facebook/musicgen-small", {"duration": 1}),
    "image": ("stable-diffusion-v1-5/stable-diffusion-v1-5", {"width": 64, "height": 64, "seed": 1}),
    "video": ("Wan-AI/Wan2.2-TI2V-5B", {"duration": 2, "width": 64, "height": 64}),
    "animation": ("stabilityai/stable-video-diffusion-img2vid-xt", {"duration": 2}),
}
FAILURES = [
    ("loading", {}, FailureKind.LOADING, Charged.NO),
    ("throttled", {}, FailureKind.THROTTLED, Charged.NO),
    ("throttled", {"form": "body", "retry_after": 5}, FailureKind.THROTTLED, Charged.NO),
    ("slow", {"seconds": 60}, FailureKind.TIMEOUT, Charged.UNKNOWN),
    ("drip", {}, FailureKind.TIMEOUT, Charged.UNKNOWN),
    ("drip", {"form": "headers"}, FailureKind.TIMEOUT, Charged.UNKNOWN),
    ("hang", {}, FailureKind.TIMEOUT, Charged.UNKNOWN),
    ("drop", {}, FailureKind.UPSTREAM, Charged.UNKNOWN),
    ("cut", {}, FailureKind.UPSTREAM, Charged.UNKNOWN),
    ("unauthorized", {}, FailureKind.AUTH, Charged.NO),
    ("credits", {}, FailureKind.CREDITS, Charged.NO),
    ("forbidden", {}, FailureKind.AUTH, Charged.NO),
    ("gated", {}, FailureKind.AUTH, Charged.NO),
    ("unknown_model", {}, FailureKind.NOT_SERVED, Charged.NO),
    ("wrong_route", {}, FailureKind.NOT_SERVED, Charged.NO),
    ("gone", {}, FailureKind.NOT_SERVED, Charged.NO),
    ("not_supported", {}, FailureKind.NOT_SERVED, Charged.NO),
    ("invalid", {}, FailureKind.BAD_INPUT, Charged.NO),
    ("invalid", {"form": "list"}, FailureKind.BAD_INPUT, Charged.NO),
    ("invalid", {"form": "problem"}, FailureKind.BAD_INPUT, Charged.NO),
    ("out_of_memory", {}, FailureKind.OUT_OF_MEMORY, Charged.NO),
    ("html", {}, FailureKind.UPSTREAM, Charged.UNKNOWN),
    ("server_error", {}, FailureKind.UPSTREAM, Charged.UNKNOWN),
    ("gateway_timeout", {}, FailureKind.UPSTREAM, Charged.UNKNOWN),
    ("empty", {}, FailureKind.UPSTREAM, Charged.UNKNOWN),
    ("json_error", {}, FailureKind.UPSTREAM, Charged.UNKNOWN),
    ("wrong_type", {}, FailureKind.BAD_OUTPUT, Charged.UNKNOWN),
    ("redirect", {}, FailureKind.NOT_SERVED, Charged.NO),
]
SHAPES = [
    ("music", "generated_audio", {}, "audio/wav"),
    ("music", "nested_audio", {"depth": 1}, "audio/wav"),
    ("music", "nested_audio", {"depth": 2}, "audio/wav"),
    ("music", "nested_audio", {"depth": 3}, "audio/wav"),
    ("music", "raw_audio", {}, "audio/wav"),
    ("music", "raw_audio", {"form": "flac"}, "audio/flac"),
    ("music", "large", {"bytes": 1_000_000}, "audio/wav"),
    ("image", "base64_image", {}, "image/png"),
]
BILLED = {Charged.NO: (0,), Charged.UNKNOWN: (0, 1), Charged.YES: (1,)}


@pytest.fixture
def submit(model_server, tmp_path):
    def make(name, *, server=model_server, timeout=10.0, **fields):
        model, parameters = MODELS[name]
        call = {
            "kind": "video" if name == "animation" else name,
            "model": model,
            "url": f"{server.url}/hf-inference/models/{model}",
            "style": "toolkit",
            "prompt": "upbeat techno with heavy bass",
            "parameters": parameters,
            "image": input_image() if name == "animation" else None,
            "timeout": timeout,
            "folder": tmp_path,
        }
        provider = HuggingFace({}.get, forget_tokens=lambda: None)
        return provider.submit(Call(**(call | fields)))

    return make


@pytest.fixture
def rendering_server():
    with ModelServer() as server:
        yield server


def input_image():
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content_type", "seconds"),
    [
        ("music", "audio/wav", 1.0),
        ("image", "image/png", None),
        ("video", "video/mp4", pytest.approx(49 / 24, abs=0.1)),
        ("animation", "video/mp4", pytest.approx(13 / 7, abs=0.1)),
    ],
)
def test_each_kind_comes_as_long_as_it_was_asked_for(submit, rendering_server, name, content_type, seconds):
    done = submit(name, server=rendering_server)
    [media] = done.files
    assert (media.content_type, media.duration_seconds) == (content_type, seconds)
    assert done.request_id
    assert [exchange.billed for exchange in rendering_server.requests] == [True]


def test_a_tutorial_handler_is_asked_and_understood(submit):
    with ModelServer(quick=True, audio=AudioShape.TUTORIAL) as server:
        assert submit("music", server=server, style="flat").files[0].content_type == "audio/wav"


@pytest.mark.parametrize(("fault", "details", "kind", "charged"), FAILURES)
def test_each_failure_has_its_kind_and_never_belies_the_bill(submit, model_server, fault, details, kind, charged):
    model_server.fault(fault, **details)
    with pytest.raises(ProviderError) as caught:
        submit("music", timeout=0.3 if kind is FailureKind.TIMEOUT else 10.0)
    assert (caught.value.kind, caught.value.charged) == (kind, charged)
    assert model_server.generations in BILLED[charged]


@pytest.mark.parametrize(("name", "fault", "details", "content_type"), SHAPES)
def test_each_shape_of_answer_is_understood(submit, model_server, name, fault, details, content_type):
    model_server.fault(fault, **details)
    assert submit(name).files[0].content_type == content_type
    assert model_server.generations == 1


def test_an_image_that_was_blackened_is_not_passed_on(submit, model_server):
    model_server.fault("black")
    with pytest.raises(ProviderError) as caught:
        submit("image")
    assert (caught.value.kind, caught.value.charged) == (FailureKind.MODERATED, Charged.YES)


def test_no_fault_is_left_out():
    assert {fault for fault, *_ in FAILURES} | {fault for _, fault, *_ in SHAPES} | {"black"} == set(FAULTS)
