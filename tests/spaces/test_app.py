"""The Space's app on the real Gradio server, and Longplay's adapter against it.

Gradio has a separate environment, because it is large and only a Space needs it. Without it, these tests are skipped:

    .venv/bin/uv venv .local/gradio
    .venv/bin/uv pip install --python .local/gradio gradio==6.31.0
    .venv/bin/python -m pytest tests/spaces/test_app.py
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from longplay.domain.catalogue import Model, Route
from longplay.domain.errors import Charged, FailureKind
from longplay.domain.models_file import load_catalogue
from longplay.providers import PROVIDERS
from longplay.providers.findings import Finding
from longplay.providers.protocol import Call, Done, PolledProvider
from longplay.providers.space.checkup import endpoint

from tests.providers.calls import make_call
from tests.providers.checkup_visits import visit
from tests.providers.failures import facts, raised
from tests.providers.payloads import image_file
from tests.providers.space.calls import ended, space_adapter, submitted
from tests.providers.tokens import Tokens

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".local/gradio/bin/python"
LONGEST_START = 60  # seconds
TYPES = {"music": "audio/wav", "image": "image/png", "video": "video/mp4"}
SERVED = [
    (model, route)
    for model in load_catalogue(PROVIDERS).models.values()
    for route in model.routes
    if route.provider == "space"
]

pytestmark = [
    pytest.mark.gradio,
    pytest.mark.skipif(not PYTHON.exists(), reason="gradio is not installed: see this file's first lines"),
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of the app, which runs until the end of the module."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [*map(str, (PYTHON, ROOT / "tests/spaces/rendered_app.py", ROOT / "spaces/longplay", port))]
    with subprocess.Popen(command, env={**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"}) as process:
        try:
            yield _started(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()


def _started(url: str) -> str:
    until = time.monotonic() + LONGEST_START
    while not _answers(url):
        if time.monotonic() > until:
            pytest.fail("the app did not start")
        time.sleep(0.5)
    return url


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/gradio_api/info", timeout=5).ok
    except requests.RequestException:
        return False


@pytest.fixture
def space() -> PolledProvider:
    """The adapter, without a token."""
    return space_adapter(Tokens())


def a_call(model: Model, route: Route, url: str, folder: Path, **fields: Any) -> Call:
    """The call of a route with the model's default parameters."""
    defaults = {name: bound.default for name, bound in model.parameters.items() if bound.default is not None}
    usual = {"kind": model.kind, "model": route.model, "inputs": route.inputs, "parameters": defaults, "timeout": 30.0}
    return make_call(folder, url=url, image=image_file() if model.from_image else None, **{**usual, **fields})


@pytest.mark.parametrize(("model", "route"), SERVED, ids=[model.name for model, _ in SERVED])
def test_each_model_is_served(space: PolledProvider, url: str, tmp_path: Path, model: Model, route: Route) -> None:
    """The template of each route fits the app, and its file is found and fetched."""
    call = a_call(model, route, url, tmp_path)
    done = space.poll(ended(space, call), call)
    assert isinstance(done, Done)
    assert done.files[0].content_type == TYPES[model.kind]


def test_a_used_up_quota_is_throttled_as_long_as_it_says(space: PolledProvider, url: str, tmp_path: Path) -> None:
    """The text comes through the real server."""
    call = a_call(*SERVED[0], url, tmp_path, prompt="quota")
    error = raised(space.poll, submitted(space, call), call)
    assert (facts(error), error.retry_after) == ((FailureKind.THROTTLED, Charged.NO), 30)


def test_a_parameter_that_the_model_lacks_is_explained(space: PolledProvider, url: str, tmp_path: Path) -> None:
    """The app shows its own refusals, and hides all other errors."""
    call = a_call(*SERVED[0], url, tmp_path, parameters={"loudness": 1})
    assert "takes no loudness" in raised(space.poll, submitted(space, call), call).message


def test_an_end_is_told_once(space: PolledProvider, url: str, tmp_path: Path) -> None:
    """The stand-in for a Space relies on this: a second reader hears nothing but heartbeats."""
    call = a_call(*SERVED[0], url, tmp_path)
    ref = submitted(space, call)
    space.poll(ref, call)
    assert facts(raised(space.poll, ref, replace(call, timeout=2.0))) == (FailureKind.TIMEOUT, Charged.NO)


def test_a_call_that_the_app_does_not_know_is_lost(space: PolledProvider, url: str, tmp_path: Path) -> None:
    """As after a restart."""
    error = raised(space.poll, "0123456789abcdef", a_call(*SERVED[0], url, tmp_path))
    assert facts(error) == (FailureKind.UPSTREAM, Charged.NO)


def test_the_checkup_knows_the_endpoint(url: str, tmp_path: Path) -> None:
    """The app lists its parameters as the checkup reads them."""
    one = visit("space", "generate", url, tmp_path, kind="music")
    assert endpoint(replace(one, call=replace(one.call, inputs=SERVED[0][1].inputs))).finding is Finding.YES
    assert endpoint(replace(one, call=replace(one.call, inputs={"loudness": 1}))).finding is Finding.NO
