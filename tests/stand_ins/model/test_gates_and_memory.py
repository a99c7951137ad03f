"""The stand-in model server's gates, its memory of what it was asked, and how it is run."""

import base64
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from PIL import Image

from local.stand_ins.model import ModelServer, RateLimit
from tests.stand_ins.model.calls import MOVED, MUSIC, PICTURE, SECONDS_PATIENCE, ask, until_ready

ROOT = Path(__file__).parents[3]


def png(width: int, height: int) -> bytes:
    """A small PNG to animate."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(file, format="PNG")
    return file.getvalue()


def test_each_model_starts_cold() -> None:
    with ModelServer(quick=True, cold_start=0.1) as server:
        assert until_ready(server) > 0
        assert ask(server, MUSIC).status_code == 200
        assert ask(server, PICTURE).status_code == 503


def test_the_rate_limit_counts_what_it_accepted() -> None:
    with ModelServer(quick=True, rate_limit=RateLimit(2, 60)) as server:
        answers = [ask(server, MUSIC) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60


@pytest.mark.parametrize(("token", "status"), [("hf_made_up", 200), ("hf_other", 401)])
def test_a_required_token_is_checked(token: str, status: int) -> None:
    with ModelServer(quick=True, token=token) as server:
        assert ask(server, MUSIC).status_code == status


def test_a_closed_server_answers_nobody() -> None:
    with requests.Session() as session:
        with ModelServer(quick=True) as server:
            assert session.get(f"{server.url}/health", timeout=SECONDS_PATIENCE).ok
        with pytest.raises(requests.ConnectionError):
            session.get(f"{server.url}/health", timeout=SECONDS_PATIENCE)


def test_it_runs_from_the_command_line() -> None:
    command = [
        sys.executable,
        "-m",
        "local.stand_ins.model",
        "--quick",
        "--rate-limit",
        "1/60",
        "--token",
        "hf_made_up",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        answers = [
            requests.post(url + MUSIC, json={"inputs": "sea"}, headers=headers, timeout=SECONDS_PATIENCE)
            for headers in ({}, {"Authorization": "Bearer hf_made_up"}, {"Authorization": "Bearer hf_made_up"})
        ]
        process.terminate()
        assert process.wait(SECONDS_PATIENCE) == 0
    assert [answer.status_code for answer in answers] == [401, 200, 429]


def test_it_remembers_what_it_was_asked(server: ModelServer) -> None:
    ask(server, MUSIC, "walking bass", generate_kwargs={"max_new_tokens": 50})
    (exchange,) = server.requests
    assert (exchange.path, exchange.model, exchange.task) == (MUSIC, "facebook/musicgen-small", "text-to-audio")
    assert (exchange.inputs, exchange.parameters) == ("walking bass", {"generate_kwargs": {"max_new_tokens": 50}})
    assert (exchange.status, exchange.billed, exchange.lost) == (200, True, False)


def test_it_tells_over_the_wire_too(server: ModelServer) -> None:
    fault = {"prompt": "sea", "fault": "out_of_memory"}
    assert requests.post(f"{server.url}/control/faults", json=fault, timeout=SECONDS_PATIENCE).status_code == 201
    ask(server, MUSIC, "sea")
    told = requests.get(f"{server.url}/control/requests", timeout=SECONDS_PATIENCE).json()
    assert told["generations"] == 0
    assert (told["requests"][0]["fault"], told["requests"][0]["status"]) == ("out_of_memory", 400)


def test_it_keeps_neither_the_token_nor_the_image(server: ModelServer) -> None:
    image = png(64, 64)
    ask(server, MOVED, base64.b64encode(image).decode())
    told = requests.get(f"{server.url}/control/requests", timeout=SECONDS_PATIENCE).text
    assert json.loads(told)["requests"][0]["inputs"]["sha256"] == hashlib.sha256(image).hexdigest()
    assert json.loads(told)["requests"][0]["headers"]["authorization"] == "Bearer (hidden)"
    assert "hf_made_up" not in told


def test_it_forgets_when_told(server: ModelServer) -> None:
    server.fault("hang", times=None)
    requests.delete(f"{server.url}/control", timeout=SECONDS_PATIENCE)
    assert ask(server, MUSIC).status_code == 200
    assert len(server.requests) == server.generations == 1


def test_health_is_no_request(server: ModelServer) -> None:
    assert requests.get(f"{server.url}/health", timeout=SECONDS_PATIENCE).text == "Ok"
    assert server.requests == []
