"""Fixtures: one deployment of the stage `test` for all end-to-end tests, on an emulator that enforces IAM."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from local.emulator.deployment import deploy
from local.emulator.emulator import emulator
from local.stand_ins.model import ModelServer
from local.tools import LOCAL, require_tools
from tests.end_to_end.deployed_stack import DeployedStack

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = ["--no-sandbox", "--disable-dev-shm-usage", "--mute-audio", "--autoplay-policy=no-user-gesture-required"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; a test that needs it is skipped where the machine has none."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A folder for one emulator, in this checkout's folder of tools, so that two checkouts never share it."""
    require_tools()
    with tempfile.TemporaryDirectory(prefix="test-", dir=LOCAL) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def stand_in() -> Iterator[ModelServer]:
    """A stand-in model server that renders files as long and large as requested."""
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="session")
def deployed(home: Path, stand_in: ModelServer) -> Iterator[DeployedStack]:
    """The stage `test`, with the stand-in as the server of every model."""
    servers = json.dumps({"*": f"{stand_in.url}/models/{{model}}"})
    with emulator(home) as aws:
        deployment = deploy(aws, home, context={"stage": "test", "servers": servers, "events": "true"})
        yield DeployedStack(
            aws=aws,
            deployment=deployment,
            server=stand_in,
            key=deployment.new_key("alice"),
            others_key=deployment.new_key("bob"),
        )


@pytest.fixture
def stack(deployed: DeployedStack) -> DeployedStack:
    """The deployed stack; its model server has no faults set and no recorded requests."""
    deployed.server.clear()
    return deployed
