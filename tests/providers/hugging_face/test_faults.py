"""Hugging Face's provider and every fault of the stand-in model server, compared with what that server bills."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from longplay.domain.errors import Charged, FailureKind
from longplay.media.pixels import BLACK
from longplay.providers.hugging_face.adapter import HuggingFace
from longplay.providers.protocol import Done

from local.stand_ins.model import AudioShape, ModelServer
from local.stand_ins.model.faults import FAULTS
from tests.providers.calls import make_call
from tests.providers.failures import BILLED, facts, raised
from tests.providers.payloads import image_file
from tests.providers.tokens import Tokens

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "music": ("facebook/musicgen-small", {"duration": 1}),
    "image": ("stable-diffusion-v1-5/stable-diffusion-v1-5", {"width": 64, "height": 64, "seed": 1}),
    "video": ("Wan-AI/Wan2.2-TI2V-5B", {"duration": 2, "width": 64, "height": 64}),
    "animation": ("stabilityai/stable-video-diffusion-img2vid-xt", {"duration": 2}),
}
FAILURES: list[tuple[str, dict[str, Any], FailureKind, Charged]] = [
    ("loading", {}, FailureKind.LOADING, Charged.NO),
    ("throttled", {}, FailureKind.THROTTLED, Charged.NO),
    ("throttled", {"form": "body", "retry_after": 5}, FailureKind.THROTTLED, Charged.NO),
    ("slow", {"seconds": 60}, FailureKind.TIMEOUT, Charged.UNKNOWN),
    ("drip", {}, FailureKind.TIMEOUT, Charged.UNKNOWN),
    ("drip", {"form": "headers"}, FailureKind.TIMEOUT, Charged.UNKNOWN),
    ("hang", {}, FailureKind.TIMEOUT, Charged.UNKNOWN),
    ("drop", {}, FailureKind.UPSTREAM, Charged.UNKNOWN),
    ("cut", {}, FailureKind.UPSTREAM, Charged.UNKNOWN),
    ("unauthorized", {}, FailureKind.REFUSED, Charged.NO),
    ("credits", {}, FailureKind.REFUSED, Charged.NO),
    ("forbidden", {}, FailureKind.REFUSED, Charged.NO),
    ("gated", {}, FailureKind.REFUSED, Charged.NO),
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
    ("word_for_word", {"status": 200, "body": "e30="}, FailureKind.BAD_OUTPUT, Charged.YES),
    ("redirect", {}, FailureKind.NOT_SERVED, Charged.NO),
]
SHAPES: list[tuple[str, str, dict[str, Any], str]] = [
    ("music", "generated_audio", {}, "audio/wav"),
    ("music", "nested_audio", {"depth": 1}, "audio/wav"),
    ("music", "nested_audio", {"depth": 2}, "audio/wav"),
    ("music", "nested_audio", {"depth": 3}, "audio/wav"),
    ("music", "raw_audio", {}, "audio/wav"),
    ("music", "raw_audio", {"form": "flac"}, "audio/flac"),
    ("music", "large", {"bytes": 1_000_000}, "audio/wav"),
    ("image", "base64_image", {}, "image/png"),
]

SubmitModel = Callable[..., Done]


@pytest.fixture
def submit(model_server: ModelServer, tmp_path: Path) -> SubmitModel:
    """Submits the call of this name to a stand-in model server, without any token."""

    def make(name: str, *, server: ModelServer = model_server, timeout: float = 10.0, **fields: Any) -> Done:
        model, parameters = MODELS[name]
        route = {
            "kind": "video" if name == "animation" else name,
            "model": model,
            "url": f"{server.url}/hf-inference/models/{model}",
            "parameters": parameters,
            "image": image_file() if name == "animation" else None,
        }
        provider = HuggingFace(Tokens().get, forget_tokens=lambda: None)
        return provider.submit(make_call(tmp_path, **{**route, "timeout": timeout, **fields}))

    return make


@pytest.fixture
def rendering_server() -> Iterator[ModelServer]:
    """A stand-in that renders each result in full."""
    with ModelServer() as server:
        yield server


@pytest.mark.parametrize(
    ("name", "content_type", "seconds"),
    [
        ("music", "audio/wav", 1.0),
        ("image", "image/png", None),
        ("video", "video/mp4", pytest.approx(49 / 24, abs=0.1)),
        ("animation", "video/mp4", pytest.approx(13 / 7, abs=0.1)),
    ],
)
def test_each_kind_is_generated_in_the_length_asked_for(
    submit: SubmitModel, rendering_server: ModelServer, name: str, content_type: str, seconds: float | None
) -> None:
    """Each kind of generation has its type and the asked length, and is billed once."""
    done = submit(name, server=rendering_server)
    [media] = done.files
    assert (media.content_type, media.duration_seconds) == (content_type, seconds)
    assert done.request_id
    assert [exchange.billed for exchange in rendering_server.requests] == [True]


def test_a_tutorial_handler_is_understood(submit: SubmitModel) -> None:
    """A server with the handler of Hugging Face's tutorial is called in its own style."""
    with ModelServer(quick=True, audio=AudioShape.TUTORIAL) as server:
        assert submit("music", server=server, style="flat").files[0].content_type == "audio/wav"


@pytest.mark.parametrize(("fault", "details", "kind", "charged"), FAILURES)
def test_each_failure_has_its_kind_and_charge(
    submit: SubmitModel,
    model_server: ModelServer,
    fault: str,
    details: dict[str, Any],
    kind: FailureKind,
    charged: Charged,
) -> None:
    """Each fault of the server has its kind of failure, and a charge that agrees with the server's count."""
    model_server.fault(fault, **details)
    error = raised(submit, "music", timeout=0.3 if kind is FailureKind.TIMEOUT else 10.0)
    assert facts(error) == (kind, charged)
    assert model_server.generations in BILLED[charged]


@pytest.mark.parametrize(("name", "fault", "details", "content_type"), SHAPES)
def test_each_shape_of_result_is_understood(
    submit: SubmitModel, model_server: ModelServer, name: str, fault: str, details: dict[str, Any], content_type: str
) -> None:
    """Each shape in which a server sends a result is read."""
    model_server.fault(fault, **details)
    assert submit(name).files[0].content_type == content_type
    assert model_server.generations == 1


def test_a_black_image_is_kept_with_a_warning(submit: SubmitModel, model_server: ModelServer) -> None:
    """A safety checker may have made it black, or NaN in the model's weights; it is paid for."""
    model_server.fault("black")
    assert submit("image").files[0].warnings == (BLACK,)


def test_every_fault_of_the_server_is_tested() -> None:
    """The tables of this file name every fault that the stand-in server has."""
    assert {fault for fault, *_ in FAILURES} | {fault for _, fault, *_ in SHAPES} | {"black"} == set(FAULTS)
