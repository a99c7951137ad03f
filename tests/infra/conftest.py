"""Fixtures: the templates of all stages, with the real asset, and an AWS emulator for the operator's commands."""

from __future__ import annotations

import fcntl
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from infra.settings.settings import STAGES
from infra.stack import LongplayStack
from local.emulator.emulator import ADMINISTRATOR, REGION, Emulator, emulator
from local.tools import LOCAL, require_tools

ROOT = Path(__file__).parent.parent.parent
Template = dict[str, Any]


@pytest.fixture(scope="session")
def context() -> dict[str, Any]:
    """The context values in cdk.json."""
    flags: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return flags


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory, worker_id: str, context: dict[str, Any]) -> Path:
    """The folder with the template of every stage and the assets, shared by all workers of pytest."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "cdk.out"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "manifest.json").exists():
            _synthesize(folder, context)
    return folder


@pytest.fixture(scope="session")
def templates(assembly: Path) -> dict[str, Template]:
    """The template of each stage, by the name of the stage."""
    return {
        name: json.loads((assembly / f"{stage.stack_name}.template.json").read_text()) for name, stage in STAGES.items()
    }


@pytest.fixture(scope="session")
def prod(templates: dict[str, Template]) -> Template:
    """The template an operator deploys."""
    return templates["prod"]


@pytest.fixture(scope="session")
def running() -> Iterator[Emulator]:
    """An empty AWS emulator."""
    require_tools()
    with tempfile.TemporaryDirectory(prefix="test-", dir=LOCAL) as home, emulator(Path(home)) as aws:
        yield aws


@pytest.fixture
def aws(running: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The same emulator, with the environment variables by which any AWS SDK finds it."""
    settings = {name.upper(): value for name, value in ADMINISTRATOR.items()}
    for name, value in {**settings, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": running.url}.items():
        monkeypatch.setenv(name, value)
    return running


def _synthesize(folder: Path, context: dict[str, Any]) -> None:
    app = cdk.App(outdir=str(folder), context=context)
    for stage in STAGES.values():
        LongplayStack(app, stage=stage)
    app.synth()
