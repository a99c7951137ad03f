"""The templates of all stages, synthesized once with the asset really bundled, and an AWS emulator for the operator."""

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
    """What cdk.json has every synthesis begin with."""
    flags: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return flags


@pytest.fixture(scope="session")
def assembly(tmp_path_factory: pytest.TempPathFactory, worker_id: str, context: dict[str, Any]) -> Path:
    """The folder with every stage's template and the assets: one for all of pytest's workers."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "cdk.out"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "manifest.json").exists():
            _synthesize(folder, context)
    return folder


@pytest.fixture(scope="session")
def templates(assembly: Path) -> dict[str, Template]:
    """Each stage's template by the stage's name."""
    return {
        name: json.loads((assembly / f"{stage.stack_name}.template.json").read_text()) for name, stage in STAGES.items()
    }


@pytest.fixture(scope="session")
def prod(templates: dict[str, Template]) -> Template:
    """The template an operator deploys."""
    return templates["prod"]


@pytest.fixture(scope="session")
def running() -> Iterator[Emulator]:
    """An emulator with nothing in it."""
    require_tools()
    with tempfile.TemporaryDirectory(prefix="test-", dir=LOCAL) as home, emulator(Path(home)) as aws:
        yield aws


@pytest.fixture
def aws(running: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The same, reached by whoever asks the environment, as any SDK does."""
    settings = {name.upper(): value for name, value in ADMINISTRATOR.items()}
    for name, value in {**settings, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": running.url}.items():
        monkeypatch.setenv(name, value)
    return running


def _synthesize(folder: Path, context: dict[str, Any]) -> None:
    app = cdk.App(outdir=str(folder), context=context)
    for stage in STAGES.values():
        LongplayStack(app, stage=stage)
    app.synth()
