"""The function of the pages, from the asset that the stack builds for it."""

from __future__ import annotations

import ast
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from longplay.domain.problem_texts import TEXTS, problems

from infra.api.refusals import REFUSALS
from infra.web.web import build

CODES = {kind.code for kind in problems()} | {refusal.code for refusal in REFUSALS}


@pytest.fixture(scope="module")
def asset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the asset."""
    folder = tmp_path_factory.mktemp("asset")
    build(folder)
    return folder


@pytest.fixture(scope="module")
def server(asset: Path) -> ModuleType:
    """The function's module in its asset."""
    spec = spec_from_file_location("server_of_pages", asset / "server.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_code_has_a_text_and_each_text_a_code() -> None:
    """A code that a caller can meet has a page."""
    assert set(TEXTS) == CODES


@pytest.mark.parametrize("code", sorted(CODES))
def test_the_page_of_a_code_says_what_happened_and_what_to_do(server: ModuleType, code: str) -> None:
    """No placeholder and no backtick is left; nothing is loaded but a style sheet."""
    answer = _problem(server, code)
    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"] == "text/html; charset=utf-8"
    assert f"<code>{code}</code>" in answer["body"]
    assert "What you can do" in answer["body"]
    assert not any(sign in answer["body"] for sign in ("$", "`", "<script"))


def test_only_where_nothing_is_known_a_page_says_that_the_cost_is_not_known(server: ModuleType) -> None:
    """API Gateway answers those two by itself, at any point of a request."""
    unknown = {code for code in CODES if "It is not known" in _problem(server, code)["body"]}
    assert unknown == {"timeout", "internal_error"}


@pytest.mark.parametrize(
    "name",
    ["", "no_such_code", "../server", "..%2fserver", "not_found.html", "paused/", "PAUSED", "\x00", "🎵", "a" * 9000],
)
def test_an_unknown_name_is_not_found(server: ModuleType, name: str) -> None:
    """The answer is a page, and says nothing of the name."""
    for answer in (_problem(server, name), _asked(server, "/web/{file}", {"file": name})):
        assert answer["statusCode"] == 404
        assert "<code>not_found</code>" in answer["body"]
        assert answer["headers"]["Cache-Control"] == "no-store"


def test_a_browser_that_has_a_page_gets_no_second_copy(server: ModuleType) -> None:
    """The tag is that of the content."""
    first = _problem(server, "paused")
    tag = first["headers"]["ETag"]
    again = _problem(server, "paused", {"If-None-Match": f'W/"other", {tag}'})
    assert (again["statusCode"], again["body"]) == (304, "")
    assert _problem(server, "forbidden", {"If-None-Match": tag})["statusCode"] == 200


def test_a_page_can_run_nothing_and_be_framed_by_nobody(server: ModuleType) -> None:
    """Its policy allows a style sheet."""
    policy = _problem(server, "paused")["headers"]["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self';")
    assert "frame-ancestors 'none'" in policy


def test_the_function_needs_the_standard_library_alone(asset: Path) -> None:
    """So its cold start is that of Python itself."""
    tree = ast.parse((asset / "server.py").read_text())
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {module.partition(".")[0] for module in modules} <= sys.stdlib_module_names


def _problem(server: ModuleType, code: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    return _asked(server, "/problems/{code}", {"code": code}, headers)


def _asked(
    server: ModuleType, resource: str, parameters: dict[str, str], headers: dict[str, str] | None = None
) -> dict[str, Any]:
    answer: dict[str, Any] = server.handler(
        {"resource": resource, "pathParameters": parameters, "headers": headers}, None
    )
    return answer
