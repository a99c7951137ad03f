"""The function of the pages, from the asset that the stack builds for it."""

from __future__ import annotations

import ast
import gzip
import re
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from longplay.domain.problem_texts import TEXTS, problems

from infra.api.refusals import REFUSALS
from infra.web.web import WEB, build
from local.tools import NODE_FOLDER

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
    for answer in (_problem(server, name), _asked(server, "/web/{file+}", {"file": name})):
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


def test_the_page_may_load_from_the_bucket_and_from_nowhere_else(
    server: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each answer has a nonce for the styles of the player, and is not kept."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("FILES_ORIGIN", "https://bucket.s3.eu-central-1.amazonaws.com")
    one, other = _page(server, "/prod/"), _page(server, "/prod/")
    policy = one["headers"]["Content-Security-Policy"]
    [nonce] = re.findall(r"'nonce-([\w-]{16})'", policy)
    assert f'nonce="{nonce}"' in one["body"]
    assert nonce not in other["body"]
    assert one["headers"]["Cache-Control"] == "no-store"
    assert "'unsafe" not in policy
    origins = {word.rstrip(";") for word in policy.split() if "://" in word}
    assert origins == {"https://bucket.s3.eu-central-1.amazonaws.com"}


def test_a_page_without_its_slash_leads_to_the_one_with_it(server: ModuleType) -> None:
    """Its links are relative; so is this one, as the stage's name may be missing behind a domain."""
    answer = _page(server, "/prod")
    assert (answer["statusCode"], answer["headers"]["Location"]) == (301, "prod/")


def test_all_that_the_page_loads_is_in_the_asset(asset: Path) -> None:
    """Every address in the page, in a style sheet and in a module; together they are small."""
    static = asset / "static"
    named = re.findall(r'(?:href|src)="web/([^"]+)"', (asset / "index.html").read_text())
    loaded: set[Path] = set()
    waiting = [static / name for name in named]
    while waiting:
        file = waiting.pop()
        loaded.add(file)
        imports = re.findall(r'(?:from|import)\s*"(\.[^"]+)"', file.read_text()) if file.suffix == ".js" else []
        waiting += [path for name in imports if (path := (file.parent / name).resolve()) not in loaded]
    assert {path for path in static.rglob("*") if path.is_file()} - loaded == {static / "problem.css"}
    sizes = [len(gzip.compress(file.read_bytes())) for file in (*loaded, asset / "index.html")]
    assert sum(sizes) <= 60_000


@pytest.mark.parametrize("module", sorted((WEB / "static").glob("*.js")), ids=lambda path: path.name)
def test_a_module_can_be_parsed(module: Path) -> None:
    """Also where there is no browser to run it in."""
    node = NODE_FOLDER / "node"
    done = subprocess.run([node, "--check", "--input-type=module", "-"], input=module.read_bytes(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_a_page_of_a_code_can_run_nothing_and_be_framed_by_no_other(server: ModuleType) -> None:
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


def _page(server: ModuleType, path: str) -> dict[str, Any]:
    answer: dict[str, Any] = server.handler({"resource": "/", "requestContext": {"path": path}}, None)
    return answer


def _asked(
    server: ModuleType, resource: str, parameters: dict[str, str], headers: dict[str, str] | None = None
) -> dict[str, Any]:
    answer: dict[str, Any] = server.handler(
        {"resource": resource, "pathParameters": parameters, "headers": headers}, None
    )
    return answer
