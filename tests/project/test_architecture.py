"""Imports point one way: entry points, http, engine and doctor, providers, storage, domain, media."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from longplay.providers import PROVIDERS

ROOT = Path(__file__).parents[2]
LAYERS = ["entry points", "http", "engine", "doctor", "providers", "storage", "domain", "media"]
READ_BY_INFRA = {
    "longplay.domain.catalogue",
    "longplay.domain.errors",
    "longplay.domain.models_file",
    "longplay.domain.problem_texts",
    "longplay.domain.settings",
    "longplay.providers",
}
PURE = ("domain", "media")
IO = {"boto3", "botocore", "requests", "urllib3", "aws_lambda_powertools", "socket", "os", "time"}


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return found | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def _modules() -> dict[str, Path]:
    return {path.relative_to(ROOT / "lambdas").as_posix(): path for path in (ROOT / "lambdas").rglob("*.py")}


def _layer(module: str) -> int:
    """The layer of `longplay.x.y` or `longplay/x/y.py`; entry points are in none of the folders."""
    parts = module.replace("/", ".").split(".")
    return LAYERS.index(parts[1]) if parts[0] == "longplay" and parts[1] in LAYERS else 0


@pytest.mark.parametrize("name", _modules())
def test_a_module_imports_only_downwards(name: str) -> None:
    """A module imports from its own layer or from a lower one."""
    inner = [module for module in _imports(_modules()[name]) if module.startswith("longplay.")]
    assert [module for module in inner if _layer(module) < _layer(name)] == []


def test_the_engine_does_not_import_the_doctor() -> None:
    """Only the wiring imports both."""
    imported = {name: _imports(path) for name, path in _modules().items() if name.startswith("longplay/engine")}
    assert [name for name, modules in imported.items() if any(".doctor" in module for module in modules)] == []


@pytest.mark.parametrize("name", [name for name in _modules() if name.split("/")[1:2] and name.split("/")[1] in PURE])
def test_a_pure_module_does_no_io(name: str) -> None:
    """No AWS, no HTTP, no clock, no environment."""
    used = {module.split(".")[0] for module in _imports(_modules()[name])}
    assert used & IO == set()


def test_only_the_wiring_reads_the_environment() -> None:
    """One module knows where a function's settings come from. The authorizer needs none of the others."""
    readers = {name for name, path in _modules().items() if "os" in _imports(path)}
    assert readers == {"authorizer.py", "wiring.py"}


def test_the_functions_import_nothing_of_the_stack() -> None:
    """infra/ and local/ are not deployed."""
    imported = {module.split(".")[0] for path in _modules().values() for module in _imports(path)}
    assert imported & {"infra", "local"} == set()


def test_the_stack_imports_only_settings_catalogue_and_the_table_of_providers() -> None:
    """These need msgspec and nothing else of the functions' dependencies."""
    imported = {module for path in (ROOT / "infra").rglob("*.py") for module in _imports(path)}
    inner = {module for module in imported if module.split(".")[0] in {"longplay", "wiring", "local"}}
    assert inner <= READ_BY_INFRA


def test_what_the_stack_imports_loads_no_adapter_and_no_sdk() -> None:
    """A synthesis does no I/O with them."""
    assert _loaded_by(*READ_BY_INFRA) & {"boto3", "requests", "longplay.providers.protocol"} == set()


@pytest.mark.parametrize("entry", ["submit", "jobs"])
def test_a_function_that_calls_no_provider_loads_no_adapter(entry: str) -> None:
    """Nor a checkup, nor an HTTP client: each would make its cold start slower."""
    loaded = _loaded_by(entry)
    rows = PROVIDERS.values()
    assert loaded & {place.partition(":")[0] for row in rows for place in (row.adapter, row.checkup)} == set()
    assert loaded & {"requests", "longplay.providers.http_client"} == set()


def _loaded_by(*modules: str) -> set[str]:
    """The modules in memory after an import in a new process."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lambdas")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return set(done.stdout.split())
