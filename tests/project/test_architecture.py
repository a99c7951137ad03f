"""Imports point one way: entry points, http, engine and doctor, providers, storage, domain, media."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = ["entry points", "http", "engine", "doctor", "providers", "storage", "domain", "media"]
PURE = ("domain", "media")
OUTSIDE_WORLD = {"boto3", "botocore", "requests", "urllib3", "aws_lambda_powertools", "socket", "os", "time"}


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return found | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def _modules() -> dict[str, Path]:
    return {path.relative_to(ROOT / "lambdas").as_posix(): path for path in (ROOT / "lambdas").rglob("*.py")}


def _layer(module: str) -> int:
    """The layer of `longplay.x.y` or of `longplay/x/y.py`; entry points belong to none of the folders."""
    parts = module.replace("/", ".").split(".")
    return LAYERS.index(parts[1]) if parts[0] == "longplay" and parts[1] in LAYERS else 0


@pytest.mark.parametrize("name", _modules())
def test_a_module_imports_only_downwards(name: str) -> None:
    """Its own layer or a lower one."""
    inner = [module for module in _imports(_modules()[name]) if module.startswith("longplay.")]
    assert [module for module in inner if _layer(module) < _layer(name)] == []


def test_the_doctor_and_the_engine_do_not_know_each_other() -> None:
    """They stand side by side; only the wiring has both."""
    imported = {name: _imports(path) for name, path in _modules().items() if name.startswith("longplay/engine")}
    assert [name for name, modules in imported.items() if any(".doctor" in module for module in modules)] == []


@pytest.mark.parametrize("name", [name for name in _modules() if name.split("/")[1:2] and name.split("/")[1] in PURE])
def test_a_pure_module_knows_nothing_of_the_outside_world(name: str) -> None:
    """No AWS, no HTTP, no clock, no environment."""
    used = {module.split(".")[0] for module in _imports(_modules()[name])}
    assert used & OUTSIDE_WORLD == set()


def test_only_the_wiring_reads_the_environment() -> None:
    """Where a function's settings come from is known in one place."""
    readers = [name for name, path in _modules().items() if "os" in _imports(path)]
    assert readers == ["wiring.py"]


@pytest.mark.parametrize(("folder", "strangers"), [("lambdas", {"infra", "local"}), ("infra", {"longplay", "local"})])
def test_what_is_deployed_and_what_deploys_it_never_import_each_other(folder: str, strangers: set[str]) -> None:
    """The stack is synthesized without the functions' dependencies, and the other way round."""
    imported = {module.split(".")[0] for path in (ROOT / folder).rglob("*.py") for module in _imports(path)}
    assert imported & strangers == set()
