"""`make run`: one run that ends after its two files, next to one that serves until it is interrupted."""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from PIL import Image

from local.ports import free_port
from local.tools import LOCAL, require_tools
from tests.end_to_end.local_runs import Run, left_behind, started


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Run, Run]]:
    """Two runs of one checkout at the same time; the first has ONCE=1."""
    require_tools()
    with tempfile.TemporaryDirectory(prefix="test-", dir=LOCAL) as folder:
        runs = started(Path(folder, "once"), ONCE="1"), started(Path(folder, "serving"), PORT=str(free_port()))
        yield runs
        for run in runs:
            run.process.kill()
            run.process.communicate()


def test_with_once_a_run_ends_after_a_track_and_an_image(both: tuple[Run, Run]) -> None:
    """It leaves no process and no endpoint file."""
    run, _ = both
    assert run.end() == 0, run.output
    with wave.open(str(run.saved(".wav"))) as track:
        assert track.getnframes() / track.getframerate() == pytest.approx(10, abs=0.1)
    with Image.open(run.saved(".png")) as image:
        image.load()
        assert image.size == (512, 512)
    assert not run.endpoint.exists()
    assert left_behind(run) == []


def test_a_run_prints_that_a_model_is_loading(both: tuple[Run, Run]) -> None:
    """The operator sees the reason for the wait."""
    run, _ = both
    assert "waiting for model_loading" in run.output


def test_a_run_opens_with_the_page_and_is_where_it_was_asked_to_be(both: tuple[Run, Run]) -> None:
    """The key is in the page's address. The request it shows is never answered from the cache."""
    _, run = both
    run.read_until("serving until Ctrl-C")
    address = run.address
    assert run.output.index(f"Page: {address['page_url']}") < run.output.index("saved ")
    assert requests.get(address["page_url"], timeout=30).text.startswith("<!doctype html>")
    port = urlsplit(address["api_url"]).port
    assert f":{port}/" in address["page_url"]
    assert '"fresh": true' in run.output.partition("Try: ")[2]


def test_a_run_serves_at_its_endpoint_until_it_is_interrupted(both: tuple[Run, Run]) -> None:
    """Ctrl-C ends it without leaving a process or an endpoint file."""
    _, run = both
    run.read_until("serving until Ctrl-C")
    endpoint = run.address
    job = requests.post(
        f"{endpoint['api_url']}/generate",
        headers={"x-api-key": endpoint["api_key"]},
        json={"prompt": "a slow waltz"},
        timeout=30,
    )
    assert job.status_code == 202
    assert requests.get(endpoint["model_server"], timeout=30).ok
    run.interrupt()
    assert run.end() == 0, run.output
    assert not run.endpoint.exists()
    assert left_behind(run) == []
