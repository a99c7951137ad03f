"""`make run` with MODEL_SERVER on Hugging Face's published inference toolkit, with real models of random weights."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from local.run.caller import Caller, download
from local.tools import LOCAL, require_tools
from tests.end_to_end.local_runs import Run, left_behind, started
from tests.end_to_end.toolkit.servers import PYTHON, READY, toolkit_server

HERE = Path(__file__).parent
#: by the server's name in the settings: the folder of its model, and its task
SERVERS = {
    "musicgen-small": ("mono", "text-to-audio"),
    "musicgen-medium": ("tutorial", "text-to-audio"),
    "musicgen-large": ("stereo", "text-to-audio"),
    "stable-diffusion-v1-5": ("image", "text-to-image"),
}
RATE = 32_000

pytestmark = [pytest.mark.emulator, pytest.mark.toolkit]


@pytest.fixture(scope="module")
def models() -> Iterator[Path]:
    """Mono, stereo and image models; and the mono one with the handler of Hugging Face's tutorial."""
    if not READY.exists():
        pytest.skip("the toolkit is not installed: `make toolkit` installs it and runs this test")
    require_tools()
    with tempfile.TemporaryDirectory(prefix="test-", dir=LOCAL) as folder:
        made = Path(folder)
        subprocess.run([PYTHON, HERE / "tiny_models.py", made], check=True, capture_output=True)
        shutil.copytree(made / "mono", made / "tutorial")
        shutil.copy(HERE / "handler.py", made / "tutorial")
        yield made


@pytest.fixture(scope="module")
def run(models: Path) -> Iterator[Run]:
    """A local run whose models are served by four servers of the toolkit, which serves."""
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(toolkit_server(models / folder, task)) for name, (folder, task) in SERVERS.items()
        }
        run = started(models / "run", MODEL_SERVER=json.dumps(servers))
        stack.callback(run.process.communicate)
        stack.callback(run.process.kill)
        run.read_until("serving until Ctrl-C")
        yield run


@pytest.fixture(scope="module")
def caller(run: Run) -> Caller:
    """A caller of that deployment."""
    return Caller(run.address["api_url"], run.address["api_key"])


def test_the_first_track_and_image_come_from_the_toolkit(run: Run) -> None:
    """Ten seconds of sound at MusicGen's rate and an image of the model's own size, without a setting."""
    with wave.open(str(run.saved(".wav"))) as track:
        assert (track.getnchannels(), track.getframerate()) == (1, RATE)
        assert track.getnframes() / RATE == pytest.approx(10, abs=0.1)
    assert Image.open(run.saved(".png")).size == (512, 512)


@pytest.mark.parametrize(
    ("model", "channels"),
    [
        pytest.param("facebook/musicgen-large", 2, id="stereo"),
        pytest.param("facebook/musicgen-medium", 1, id="the tutorial's handler"),
    ],
)
def test_music(caller: Caller, tmp_path: Path, model: str, channels: int) -> None:
    """A track with parameters comes as long as it was asked for, in the first attempt."""
    job = _ended(caller, {"model": model, "prompt": "a slow waltz", "duration": 2, "guidance_scale": 2.5})
    with wave.open(io.BytesIO(download(job, tmp_path).read_bytes())) as track:
        assert (track.getnchannels(), track.getframerate()) == (channels, RATE)
        assert track.getnframes() / RATE == pytest.approx(2, abs=0.1)


def test_an_image_with_parameters(caller: Caller, tmp_path: Path) -> None:
    """The size, the steps and the seed are the model's: the same seed makes the same image."""
    request = {
        "model": "runwayml/stable-diffusion-v1-5",
        "prompt": "a lighthouse",
        "negative_prompt": "people",
        "width": 256,
        "height": 256,
        "num_inference_steps": 2,
        "seed": 7,
        "fresh": True,
    }
    first, second = (Image.open(download(_ended(caller, request), tmp_path)) for _ in range(2))
    assert first.size == (256, 256)
    assert first.tobytes() == second.tobytes()


def test_the_run_ends_clean(run: Run) -> None:
    """No process is left of it."""
    run.interrupt()
    assert run.end() == 0, run.output
    assert left_behind(run) == []


def _ended(caller: Caller, request: dict[str, Any]) -> dict[str, Any]:
    [*_, job] = caller.follow([caller.submit(request)["id"]])
    assert (job["status"], len(job["attempts"])) == ("succeeded", 1), job
    return job
