"""The asset of the functions: its hash depends on the sources only, and it contains all that the functions need."""

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
    """The asset made from those sources."""
    return _bundle(original, tmp_path_factory.mktemp("bundled"))


@pytest.fixture
def sources(original: Path, tmp_path: Path) -> Path:
    """The same sources in another checkout."""
    return copytree(original, tmp_path / "sources")


def test_the_same_sources_in_another_folder_have_the_same_hash(bundled: Path, sources: Path, tmp_path: Path) -> None:
    """Compiled files and dates do not count, and the asset contains no such file."""
    for folder in (sources, sources / "package"):
        (folder / "__pycache__").mkdir()
        (folder / "__pycache__/entry.pyc").write_bytes(b"compiled")
    (sources / "entry.py").touch()
    again = _bundle(sources, tmp_path / "again")
    assert again.name == bundled.name
    assert not list(again.rglob("entry.pyc"))


def test_changed_sources_have_another_hash(bundled: Path, sources: Path, tmp_path: Path) -> None:
    """One changed line is enough."""
    (sources / "package/__init__.py").write_text("changed = True\n")
    assert _bundle(sources, tmp_path / "again").name != bundled.name


def test_an_asset_for_this_machine_has_another_hash_than_one_for_lambda(
    bundled: Path, sources: Path, tmp_path: Path
) -> None:
    """Otherwise packages for this machine could be deployed."""
    assert _bundle(sources, tmp_path / "lambda", for_this_machine=False).name != bundled.name


def test_the_asset_contains_the_functions_and_their_packages_for_lambda(assembly: Path) -> None:
    """boto3 is left out: Lambda's runtime has it."""
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
