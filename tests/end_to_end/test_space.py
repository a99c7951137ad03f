"""`make run SPACE=1`: a deployment with nothing but a token and a Space, whose app runs on the real Gradio server."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from local.run.caller import Caller, download
from local.space.app import PYTHON
from local.tools import LOCAL, require_tools
from tests.end_to_end.local_runs import Run, left_behind, started
from tests.providers.payloads import image_file, packed

#: The seven calls of the documents, by the ids that they use; each as small as its model allows.
START = f"data:image/png;base64,{packed(image_file())}"
SMALL = {"width": 512, "height": 512, "num_inference_steps": 2}
CALLS = [
    {"model": "facebook/musicgen-small", "prompt": "upbeat techno with heavy bass", "duration": 1},
    {"model": "facebook/musicgen-medium", "prompt": "a slow waltz", "duration": 1},
    {"model": "facebook/musicgen-large", "prompt": "an epic orchestra", "duration": 1},
    {"model": "runwayml/stable-diffusion-v1-5", "prompt": "a beautiful sunset over mountains", **SMALL},
    {"model": "stabilityai/stable-diffusion-2-1", "prompt": "a lighthouse in a storm", **SMALL},
    {"model": "stabilityai/stable-diffusion-xl-base-1.0", "prompt": "a red boat", **SMALL},
    {
        "model": "stabilityai/stable-video-diffusion-img2vid-xt",
        "prompt": "waves",
        "duration": 2,
        "image": START,
    },
]

pytestmark = [pytest.mark.emulator, pytest.mark.gradio]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """A local run with the Space's app as its only server, which serves."""
    require_tools()
    if not PYTHON.exists():
        pytest.skip("gradio is not installed: `make test` installs it")
    with tempfile.TemporaryDirectory(prefix="test-", dir=LOCAL) as folder:
        run = started(Path(folder, "space"), SPACE="1")
        yield run
        run.process.kill()
        run.process.communicate()


@pytest.fixture(scope="module")
def caller(run: Run) -> Caller:
    """A caller of that deployment."""
    run.read_until("serving until Ctrl-C")
    return Caller(run.address["api_url"], run.address["api_key"])


@pytest.fixture(scope="module")
def jobs(caller: Caller) -> list[dict[str, Any]]:
    """The jobs of the seven calls, after their ends."""
    submitted = [caller.submit(call)["id"] for call in CALLS]
    for _ in caller.follow(submitted):
        pass
    return [caller.job(job_id) for job_id in submitted]


def test_the_first_track_and_image_come_from_the_space(run: Run, caller: Caller) -> None:
    """The endpoint file has the address of the Space."""
    assert run.saved(".wav").read_bytes().startswith(b"RIFF")
    assert run.saved(".png").read_bytes().startswith(b"\x89PNG")
    assert run.address["model_server"] in run.output
    assert requests.get(run.address["model_server"], timeout=30).status_code == 404  # it is private


def test_the_seven_calls_of_the_documents_succeed_and_cost_nothing(jobs: list[dict[str, Any]], tmp_path: Path) -> None:
    """Neither the estimate, the ledger nor what was possible names a cent; each has its file."""
    assert [(job["status"], job["served_by"]) for job in jobs] == [("succeeded", "space")] * len(CALLS)
    for job in jobs:
        costs = {job["cost"][name] for name in ("estimated_usd", "possible_usd", "charged_usd")}
        charges = {(attempt["charged"], attempt["usd"]) for attempt in job["attempts"]}
        assert (costs, charges) == ({0}, {("no", 0)})
        assert download(job, tmp_path).stat().st_size == job["outputs"][0]["bytes"]


def test_the_models_on_offer_are_these_seven_and_free(caller: Caller, jobs: list[dict[str, Any]]) -> None:
    """Prices in `GET /models` agree with the ledger."""
    answer = requests.get(f"{caller.api_url}/models", headers={"x-api-key": caller.api_key}, timeout=30)
    offered = {model["id"]: model["routes"] for model in answer.json()["models"] if model["available"]}
    assert set(offered) == {job["model"] for job in jobs}
    assert {route["estimated_usd"] for routes in offered.values() for route in routes} == {0}


def test_the_run_ends_with_the_app(run: Run, jobs: list[dict[str, Any]]) -> None:
    """No process is left of it."""
    run.interrupt()
    assert run.end() == 0, run.output
    assert left_behind(run) == []
