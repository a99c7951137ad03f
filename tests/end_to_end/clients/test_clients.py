"""Other people's clients, unchanged, ask the deployed faces for a generation that takes 40 s: past every gateway."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local.emulator.deployment import deploy
from local.emulator.emulator import emulator
from local.stand_ins.model import ModelServer
from local.tools import LOCAL, NODE_FOLDER, environment, require_tools
from tests.end_to_end.deployed_stack import DeployedStack

HERE, CLIENTS = Path(__file__).parent, LOCAL / "clients"
SECONDS = 40  # of a generation; API Gateway gives up after 29
PNG, JPEG, WAV = "89504e47", "ffd8ff", "52494646"
PYTHON_CLIENTS = ("hf_image", "hf_music", "openai", "litellm", "requests")
NODE_CLIENTS = ("hf_image", "hf_music", "openai", "fetch")
CURL = [("curl", "curl")] if shutil.which("curl") else []  # the one that the machine has to have itself
ALL = [*(("python", name) for name in PYTHON_CLIENTS), *(("node", name) for name in NODE_CLIENTS), *CURL]

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def stack() -> Iterator[DeployedStack]:
    """A deployment that holds as many answers as there are clients, with a model that takes its time."""
    require_tools()
    assert (CLIENTS / "ready").exists(), f"{CLIENTS} is missing: start with `make test`, which installs it"
    with tempfile.TemporaryDirectory(prefix="test-", dir=LOCAL) as folder, ModelServer() as server:
        settings = {
            "stage": "local",
            "servers": json.dumps({"*": f"{server.url}/models/{{model}}"}),
            "concurrent_calls": "12",
            "held_answers": "12",
        }
        with emulator(Path(folder)) as aws:
            deployment = deploy(aws, Path(folder), context=settings)
            keys = {"key": deployment.new_key("alice"), "others_key": deployment.new_key("bob")}
            yield DeployedStack(aws=aws, deployment=deployment, server=server, **keys)


def _command(kind: str, name: str, base: str, key: str) -> list[str | Path]:
    prompt = f"a generation for {kind} {name}"
    if kind == "python":
        return [CLIENTS / "bin/python", HERE / "ask.py", name, base, key, prompt]
    if kind == "node":
        return [NODE_FOLDER / "node", HERE / "ask.mjs", name, base, key, prompt]
    url = f"{base}/models/runwayml/stable-diffusion-v1-5"
    body = json.dumps({"inputs": prompt})
    return ["curl", "-sS", "-L", "-X", "POST", url, "-H", f"Authorization: Bearer {key}", "-d", body]


def _asked(stack: DeployedStack, key: str, client: tuple[str, str]) -> dict[str, Any]:
    """The answer that a client prints."""
    command = _command(*client, str(stack.deployment.faces_url), key)
    with tempfile.TemporaryDirectory() as home:
        env = environment(Path(home), NODE_CLIENTS=str(CLIENTS))
        ended = subprocess.run(command, capture_output=True, env=env, timeout=300, check=False)
    if client[0] == "curl":
        return {
            "head": ended.stdout[:4].hex(),
            "bytes": len(ended.stdout),
            "text": ended.stdout[:999].decode(errors="replace"),
        }
    assert ended.stdout, ended.stderr.decode()
    return dict(json.loads(ended.stdout.splitlines()[-1]))  # LiteLLM prints advice before it


def _all_at_once(stack: DeployedStack, key: str) -> dict[tuple[str, str], dict[str, Any]]:
    with ThreadPoolExecutor(len(ALL)) as pool:
        return dict(zip(ALL, pool.map(partial(_asked, stack, key), ALL), strict=True))


def test_each_client_gets_its_file_for_one_generation(stack: DeployedStack) -> None:
    """Its one call returns the file, and the provider is asked once for each."""
    stack.server.clear()
    stack.server.fault("slow", seconds=SECONDS, times=None)
    answers = _all_at_once(stack, stack.key)
    heads = {client: answer.get("head", answer) for client, answer in answers.items()}
    assert heads == {client: WAV if client[1] == "hf_music" else PNG for client in ALL}
    assert stack.server.generations == len(ALL)
    print({client: round(answer["seconds"], 1) for client, answer in answers.items() if "seconds" in answer})


@pytest.mark.parametrize(
    ("key", "status"),
    [("lp_alice_0123456789abcdef", "403"), ("sk-of-another-service", "401")],
    ids=["wrong", "malformed"],
)
def test_each_client_shows_what_is_wrong_with_a_key(stack: DeployedStack, key: str, status: str) -> None:
    """The error names the header, and comes at once, without a generation. OpenAI's for Node has the status alone."""
    stack.server.clear()
    answers = _all_at_once(stack, key)
    shown = {client: str(answer.get("error", answer.get("text"))) for client, answer in answers.items()}
    assert status in shown.pop(("node", "openai"))
    assert [client for client, text in shown.items() if "Authorization: Bearer" not in text] == []
    assert stack.server.generations == 0


def test_a_key_opens_the_jobs_of_its_owner_alone(stack: DeployedStack) -> None:
    """The job that a face made is in its owner's list, and unknown to others."""
    stack.server.clear()
    answer = _asked(stack, stack.key, ("python", "requests"))
    assert answer.get("head") == PNG, answer
    newest = stack.get("/jobs?limit=1").json()["jobs"][0]
    assert newest["prompt"] == "a generation for python requests"
    assert stack.get("/jobs", key=stack.others_key).json()["jobs"] == []
