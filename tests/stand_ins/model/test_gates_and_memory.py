"""The stand-in model server's token, cold start and rate limit, its memory of requests, and its command line."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from local.stand_ins.model import ModelServer, RateLimit
from tests.stand_ins.model.calls import ANIMATION, IMAGE, MUSIC, TIMEOUT, ask, ask_until_loaded, png

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "local.stand_ins.model", "--quick", "--rate-limit", "1/60", "--token", "hf_made_up"]
AUTHORIZED = {"Authorization": "Bearer hf_made_up"}


def test_each_model_loads_at_its_first_request() -> None:
    """With a cold start each model answers 503 until it is loaded, whether or not another one is."""
    with ModelServer(quick=True, cold_start=0.1) as server:
        assert ask_until_loaded(server) > 0
        assert ask(server, MUSIC).status_code == 200
        assert ask(server, IMAGE).status_code == 503


def test_the_rate_limit_counts_accepted_requests() -> None:
    """After two accepted requests the others get 429, with the wait in whole seconds."""
    with ModelServer(quick=True, rate_limit=RateLimit(2, 60)) as server:
        answers = [ask(server, MUSIC) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60


@pytest.mark.parametrize(("token", "status"), [("hf_made_up", 200), ("hf_other", 401)])
def test_a_required_token_is_checked(token: str, status: int) -> None:
    """A request with another token than the required one is a 401."""
    with ModelServer(quick=True, token=token) as server:
        assert ask(server, MUSIC).status_code == status


def test_a_closed_server_also_closes_open_connections() -> None:
    """A caller with an open connection gets an error after the server is closed."""
    with requests.Session() as session:
        with ModelServer(quick=True) as server:
            assert session.get(f"{server.url}/health", timeout=TIMEOUT).ok
        with pytest.raises(requests.ConnectionError):
            session.get(f"{server.url}/health", timeout=TIMEOUT)


def test_the_server_runs_from_the_command_line() -> None:
    """The command prints the URL, follows its options, and ends with 0 at SIGTERM."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        answers = [
            requests.post(url + MUSIC, json={"inputs": "sea"}, headers=headers, timeout=TIMEOUT)
            for headers in ({}, AUTHORIZED, AUTHORIZED)
        ]
        process.terminate()
        assert process.wait(TIMEOUT) == 0
    assert [answer.status_code for answer in answers] == [401, 200, 429]


def test_a_request_is_remembered(server: ModelServer) -> None:
    """The server remembers what a request asked for, its status, and whether it was billed."""
    ask(server, MUSIC, "walking bass", generate_kwargs={"max_new_tokens": 50})
    (exchange,) = server.requests
    assert (exchange.path, exchange.model, exchange.task) == (MUSIC, "facebook/musicgen-small", "text-to-audio")
    assert (exchange.inputs, exchange.parameters) == ("walking bass", {"generate_kwargs": {"max_new_tokens": 50}})
    assert (exchange.status, exchange.billed, exchange.lost) == (200, True, False)


def test_requests_are_shown_over_http(server: ModelServer) -> None:
    """`/control/requests` shows each request with its fault and its status, and the number of generations."""
    fault = {"prompt": "sea", "fault": "out_of_memory"}
    assert requests.post(f"{server.url}/control/faults", json=fault, timeout=TIMEOUT).status_code == 201
    ask(server, MUSIC, "sea")
    shown = requests.get(f"{server.url}/control/requests", timeout=TIMEOUT).json()
    assert shown["generations"] == 0
    assert (shown["requests"][0]["fault"], shown["requests"][0]["status"]) == ("out_of_memory", 400)


def test_neither_token_nor_image_is_remembered(server: ModelServer) -> None:
    """A remembered request has the image's SHA-256 in place of the image, and no token."""
    image = png(64, 64)
    ask(server, ANIMATION, base64.b64encode(image).decode())
    shown = requests.get(f"{server.url}/control/requests", timeout=TIMEOUT).text
    assert json.loads(shown)["requests"][0]["inputs"]["sha256"] == hashlib.sha256(image).hexdigest()
    assert json.loads(shown)["requests"][0]["headers"]["authorization"] == "Bearer (hidden)"
    assert "hf_made_up" not in shown


def test_faults_are_forgotten_over_http(server: ModelServer) -> None:
    """After DELETE `/control` no fault is left, and only later requests are counted."""
    server.fault("hang", times=None)
    requests.delete(f"{server.url}/control", timeout=TIMEOUT)
    assert ask(server, MUSIC).status_code == 200
    assert len(server.requests) == server.generations == 1


def test_a_health_check_is_not_remembered(server: ModelServer) -> None:
    """`/health` answers Ok, and does not count as a request."""
    assert requests.get(f"{server.url}/health", timeout=TIMEOUT).text == "Ok"
    assert server.requests == []
