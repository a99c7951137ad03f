"""The asset: its hash follows its sources alone, and it holds what the functions need."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from infra.functions.bundling import ARCHITECTURE, RUNTIME, asset


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of a function without requirements, so that nothing is downloaded."""
    folder = tmp_path_factory.mktemp("original")
    (folder / "package").mkdir()
    (folder / "package/__init__.py").touch()
    (folder / "requirements.txt").touch()
    (folder / "entry.py").write_text("import package\n")
    return folder


@pytest.fixture(scope="module")
def bundled(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its asset."""
    return _bundle(original, tmp_path_factory.mktemp("bundled"))


@pytest.fixture
def sources(original: Path, tmp_path: Path) -> Path:
    """The same sources in another checkout."""
    return copytree(original, tmp_path / "sources")


def test_the_same_sources_have_the_same_hash_wherever_they_lie_and_whatever_ran_there(
    bundled: Path, sources: Path, tmp_path: Path
) -> None:
    for folder in (sources, sources / "package"):
        (folder / "__pycache__").mkdir()
        (folder / "__pycache__/entry.pyc").write_bytes(b"compiled")
    (sources / "entry.py").touch()
    again = _bundle(sources, tmp_path / "again")
    assert again.name == bundled.name
    assert not list(again.rglob("entry.pyc"))


def test_changed_sources_have_another_hash(bundled: Path, sources: Path, tmp_path: Path) -> None:
    (sources / "package/__init__.py").write_text("changed = True\n")
    assert _bundle(sources, tmp_path / "again").name != bundled.name


def test_packages_for_this_machine_are_never_taken_for_lambdas(bundled: Path, sources: Path, tmp_path: Path) -> None:
    assert _bundle(sources, tmp_path / "lambda", for_this_machine=False).name != bundled.name


def test_the_asset_holds_the_functions_and_their_packages_for_lambda(assembly: Path) -> None:
    [for_lambda] = [asset for asset in _assets(assembly) if list(asset.glob("msgspec/*aarch64-linux-gnu.so"))]
    names = {path.name for path in for_lambda.iterdir()}
    assert {"submit.py", "jobs.py", "callbacks.py", "generator.py", "sweeper.py", "longplay", "models.toml"} <= names
    assert {"requests", "aws_lambda_powertools"} <= names
    assert "boto3" not in names


def _bundle(sources: Path, outdir: Path, *, for_this_machine: bool = True) -> Path:
    app = cdk.App(outdir=str(outdir))
    code = asset(for_this_machine=for_this_machine, sources=sources)
    lambda_.Function(
        cdk.Stack(app, "Stack"), "Entry", code=code, handler="entry.handler", runtime=RUNTIME, architecture=ARCHITECTURE
    )
    app.synth()
    [bundled] = _assets(outdir)
    return bundled


def _assets(outdir: Path) -> list[Path]:
    return list(outdir.glob("asset.*"))
