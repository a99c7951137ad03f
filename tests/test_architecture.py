"""Imports point one way: entry points, use cases, AWS classes, pure modules; and each deployed thing stands alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = [
    {"submit", "jobs", "callbacks", "notices", "generator", "sweeper", "doctor", "wiring"},
    {"http_api", "job_view", "model_view", "health_view"},
    {
        "service",
        "advance",
        "hints",
        "sweep",
        "setbacks",
        "followers",
        "calls",
        "admission",
        "outcomes",
        "retries",
        "uploads",
        "routes",
        "checkups",
    },
    {
        "job_table",
        "job_queue",
        "result_bucket",
        "limiter",
        "budgets",
        "result_cache",
        "timings",
        "operations",
        "closures",
        "reports",
    },
    {"table", "tokens", "providers"},
    {
        "changes",
        "items",
        "settings",
        "pacing",
        "job",
        "request",
        "catalogue",
        "media",
        "media_headers",
        "media_pixels",
        "errors",
    },
]
OUTSIDE_WORLD = {"boto3", "botocore", "requests", "urllib3", "aws_lambda_powertools", "socket", "os", "time"}
PURE_BUT_TYPED = {"items": {"boto3"}}  # boto3's own value types, no client


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return found | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def _modules() -> dict[str, Path]:
    package = ROOT / "lambdas" / "longplay"
    files = [*(ROOT / "lambdas").glob("*.py"), *package.glob("*.py"), *(package / "providers").rglob("*.py")]
    return {path.relative_to(ROOT / "lambdas").as_posix(): path for path in files if path.stem != "__init__"}


def _layer(name: str) -> int:
    return next(n for n, layer in enumerate(LAYERS) if name in layer)


def _own_name(module: str) -> str:
    return "providers" if "providers" in module else module.split(".")[-1].split("/")[-1]


@pytest.mark.parametrize("name", _modules())
def test_a_module_imports_only_downwards(name: str) -> None:
    """Its own layer or a lower one."""
    path = _modules()[name]
    own = _layer("providers" if "providers" in path.parts else path.stem)
    inner = {_own_name(module) for module in _imports(path) if module.startswith("longplay.")}
    assert {module: _layer(module) for module in inner if _layer(module) < own} == {}


@pytest.mark.parametrize("stem", sorted(LAYERS[-1]))
def test_a_pure_module_knows_nothing_of_the_outside_world(stem: str) -> None:
    """No AWS, no HTTP, no clock, no environment."""
    used = {module.split(".")[0] for module in _imports(ROOT / "lambdas" / "longplay" / f"{stem}.py")}
    assert used & OUTSIDE_WORLD - PURE_BUT_TYPED.get(stem, set()) == set()


def test_only_the_wiring_reads_the_environment() -> None:
    """Where a function's settings come from is known in one place."""
    readers = [name for name, path in _modules().items() if "os" in _imports(path)]
    assert readers == ["wiring.py"]


@pytest.mark.parametrize(("folder", "strangers"), [("lambdas", {"infra", "local"}), ("infra", {"longplay", "local"})])
def test_what_is_deployed_and_what_deploys_it_never_import_each_other(folder: str, strangers: set[str]) -> None:
    """The stack is synthesized without the functions' dependencies, and the other way round."""
    imported = {module.split(".")[0] for path in (ROOT / folder).rglob("*.py") for module in _imports(path)}
    assert imported & strangers == set()
