"""A made-up provider is added by the steps of docs/adding-a-provider.md, and generates an image."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(?:python|diff) (?P<path>lambdas/\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
ADDED = re.compile(r"^\+", re.MULTILINE)
SERVER, MODEL = "acme", "stable-diffusion-xl"
BODY = {"model": MODEL, "prompt": "a red lighthouse", "width": 512, "height": 512}

#: Where the page says that the row and the route are added.
PLACES = {"lambdas/longplay/providers/__init__.py": "_ROWS = (\n", "lambdas/models.toml": "routes = [\n"}

DRIVE = """
import json, os, sys
from moto import mock_aws
import wiring
from tests.harness.aws import SECRET, make_account
from tests.harness.product import Product

url, body = sys.argv[1], json.loads(sys.argv[2])
with mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\\.0\\.0\\.1:.*"]}}}):
    aws = make_account(servers={"acme": url})
    aws.secrets.put_secret_value(SecretId=SECRET, SecretString='{"acme": "made-up-token"}')
    os.environ.update(aws.environment)
    product = Product(aws)
    job = product.submit(body)
    product.deliver()
    checkup = [route for route in product.examine() if route["route"] == "acme"]
    print(json.dumps({"job": product.job(job["id"]), "checkup": checkup}))
"""


class Acme(BaseHTTPRequestHandler):
    """Acme's API as the page describes it."""

    def do_GET(self) -> None:
        """The account of the token."""
        self._answer(b"{}", "application/json")

    def do_POST(self) -> None:
        """The image."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(_image(), "image/png")

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""

    def _answer(self, body: bytes, content_type: str) -> None:
        self.send_response(200 if self.headers["Authorization"] == "Bearer made-up-token" else 401)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def acme() -> Iterator[str]:
    """The URL of Acme's API on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Acme) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def lambdas(tmp_path: Path) -> Path:
    """A copy of lambdas/ after the steps of the page."""
    shutil.copytree(ROOT / "lambdas", tmp_path / "lambdas", ignore=shutil.ignore_patterns("__pycache__"))
    for block in BLOCK.finditer((ROOT / "docs/adding-a-provider.md").read_text()):
        _add(tmp_path / block["path"], block["text"], PLACES.get(block["path"]))
    return tmp_path / "lambdas"


def test_the_provider_of_the_page_generates_an_image(lambdas: Path, acme: str) -> None:
    seen = _driven(lambdas, acme)
    assert (seen["job"]["status"], seen["job"]["served_by"]) == ("succeeded", "acme")
    assert seen["job"]["outputs"][0]["content_type"] == "image/png"
    [route] = seen["checkup"]
    assert (route["works"], route["findings"]["token"], route["findings"]["accepted"]) == ("yes", "yes", "yes")


def test_the_code_of_the_page_has_no_type_errors(lambdas: Path) -> None:
    mypy = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "longplay/providers/acme"]
    environment = {**os.environ, "MYPYPATH": str(lambdas)}
    done = subprocess.run(mypy, cwd=lambdas, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _image() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(file, "PNG")
    return file.getvalue()


def _add(path: Path, text: str, place: str | None) -> None:
    """Write a new file, or put the text behind its place: for models.toml, behind the model's own."""
    if place is None:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.with_name("__init__.py").write_text('"""Acme, a provider that does not exist."""\n')
        return
    before = path.read_text()
    at = before.index(place, max(before.find(f"[models.{MODEL}]"), 0)) + len(place)
    path.write_text(before[:at] + ADDED.sub("", text) + before[at:])


def _driven(lambdas: Path, url: str) -> dict[str, Any]:
    account = {"AWS_DEFAULT_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    environment = {**os.environ, **account, "PYTHONPATH": f"{lambdas}{os.pathsep}{ROOT}"}
    arguments = [sys.executable, "-c", DRIVE, url, json.dumps(BODY)]
    done = subprocess.run(arguments, env=environment, cwd=lambdas, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen
