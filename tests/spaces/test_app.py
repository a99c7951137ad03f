"""The Space's app on the real Gradio server: Longplay's adapter and Gradio's own client against it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from longplay.domain.catalogue import Model, Route
from longplay.domain.errors import Charged, FailureKind
from longplay.domain.models_file import load_catalogue
from longplay.providers import PROVIDERS
from longplay.providers.findings import Finding, Question
from longplay.providers.protocol import Call, Done, PolledProvider
from longplay.providers.space.checkup import CHECKUP, endpoint

from local.space.app import PYTHON, QUIET, space_app
from local.tools import ROOT, LocalRunError, environment
from tests.providers.calls import make_call
from tests.providers.checkup_visits import visit
from tests.providers.failures import facts, raised
from tests.providers.payloads import image_file
from tests.providers.space.calls import ended, space_adapter, submitted
from tests.providers.tokens import Tokens
from tests.spaces.conftest import TOKEN, RunningSpace

TYPES = {"music": "audio/wav", "image": "image/png", "video": "video/mp4"}
SERVED = [
    (model, route)
    for model in load_catalogue(PROVIDERS).models.values()
    for route in model.routes
    if route.provider == "space"
]
IMAGE = next((model, route) for model, route in SERVED if model.name == "stable-diffusion-v1-5")

pytestmark = pytest.mark.gradio


@pytest.fixture
def url(space: RunningSpace) -> str:
    """The address of the Space."""
    return space.front.url


@pytest.fixture
def adapter() -> PolledProvider:
    """The adapter, with the token of the Space."""
    return space_adapter(Tokens(space=TOKEN))


def a_call(model: Model, route: Route, url: str, folder: Path, **fields: Any) -> Call:
    """The call of a route with the model's default parameters."""
    defaults = {name: bound.default for name, bound in model.parameters.items() if bound.default is not None}
    usual = {"kind": model.kind, "model": route.model, "inputs": route.inputs, "parameters": defaults, "timeout": 30.0}
    return make_call(folder, url=url, image=image_file() if model.from_image else None, **{**usual, **fields})


@pytest.mark.parametrize(("model", "route"), SERVED, ids=[model.name for model, _ in SERVED])
def test_each_model_is_served(adapter: PolledProvider, url: str, tmp_path: Path, model: Model, route: Route) -> None:
    """The template of each route fits the app, and its file is found and fetched."""
    call = a_call(model, route, url, tmp_path)
    done = adapter.poll(ended(adapter, call), call)
    assert isinstance(done, Done)
    assert done.files[0].content_type == TYPES[model.kind]


def test_a_used_up_quota_is_throttled_as_long_as_it_says(adapter: PolledProvider, url: str, tmp_path: Path) -> None:
    """The text comes through the real server."""
    call = a_call(*SERVED[0], url, tmp_path, prompt="over quota")
    error = raised(adapter.poll, submitted(adapter, call), call)
    assert (facts(error), error.retry_after) == ((FailureKind.THROTTLED, Charged.NO), 754)


def test_a_parameter_that_the_model_lacks_is_explained(adapter: PolledProvider, url: str, tmp_path: Path) -> None:
    """The app shows its own refusals, and hides all other errors."""
    call = a_call(*SERVED[0], url, tmp_path, parameters={"loudness": 1})
    assert "takes no loudness" in raised(adapter.poll, submitted(adapter, call), call).message


def test_an_end_is_told_once(adapter: PolledProvider, url: str, tmp_path: Path) -> None:
    """The stand-in for a Space relies on this: a second reader hears nothing but heartbeats."""
    call = a_call(*SERVED[0], url, tmp_path)
    ref = submitted(adapter, call)
    adapter.poll(ref, call)
    assert facts(raised(adapter.poll, ref, replace(call, timeout=2.0))) == (FailureKind.TIMEOUT, Charged.NO)


def test_a_call_that_the_app_does_not_know_is_lost(adapter: PolledProvider, url: str, tmp_path: Path) -> None:
    """As after a restart."""
    error = raised(adapter.poll, "0123456789abcdef", a_call(*SERVED[0], url, tmp_path))
    assert facts(error) == (FailureKind.UPSTREAM, Charged.NO)


def test_the_checkup_knows_the_endpoint(url: str, tmp_path: Path) -> None:
    """The app lists its parameters as the checkup reads them."""
    one = visit("space", "generate", url, tmp_path, kind="music", space=TOKEN)
    assert endpoint(replace(one, call=replace(one.call, inputs=SERVED[0][1].inputs))).finding is Finding.YES
    assert endpoint(replace(one, call=replace(one.call, inputs={"loudness": 1}))).finding is Finding.NO


def test_the_checkup_of_a_private_space_needs_its_token(url: str, tmp_path: Path) -> None:
    """With the token all is well, without it the Space looks as if it were not there."""
    for tokens, finding in (({"space": TOKEN}, Finding.YES), ({}, Finding.NO)):
        one = visit("space", "generate", url, tmp_path, kind="music", **tokens)
        looked = CHECKUP[Question.LIVE](replace(one, call=replace(one.call, inputs=SERVED[0][1].inputs)))
        assert looked is not None
        assert looked.finding is finding


def test_gradios_own_client_gets_the_same_file(adapter: PolledProvider, space: RunningSpace, tmp_path: Path) -> None:
    """Byte for byte, from the same private Space."""
    call = a_call(*IMAGE, space.front.url, tmp_path, parameters={"width": 256, "height": 256, "seed": 7})
    ours = adapter.poll(ended(adapter, call), call)
    assert isinstance(ours, Done)
    assert ours.files[0].path.read_bytes() == vendors_file(space, call).read_bytes()


def vendors_file(space: RunningSpace, call: Call) -> Path:
    """The file that Gradio's own client gets for the same request."""
    assert isinstance(call.inputs, dict)
    request = (str(call.inputs["model"]), call.prompt, json.dumps(call.parameters))
    asked = [str(PYTHON), "-m", "tests.spaces.vendor_client", space.front.url, TOKEN, *request]
    home = environment(space.home, **QUIET)
    done = subprocess.run(asked, cwd=ROOT, env=home, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip().splitlines()[-1])


def test_an_app_that_does_not_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    """Python names the module that is not there."""
    with (
        pytest.raises(LocalRunError, match=r"did not start:\n.*No module named"),
        space_app(tmp_path, module="missing"),
    ):
        pass
