"""A page of another origin plays files of the deployed stack in Chromium. It is skipped where Chromium is missing."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.deployed_stack import DeployedStack

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
SECONDS = 60
OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--mute-audio"),
    *("--autoplay-policy=no-user-gesture-required", "--net-log-capture-mode=IncludeSensitive"),
)
PAGE = (Path(__file__).parent / "page.html").read_text()

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@dataclass
class _Page:
    """A page of another origin, and what its script has found."""

    port: int = 0
    found: dict[str, Any] = field(default_factory=dict)
    told: threading.Event = field(default_factory=threading.Event)

    def opened(self, folder: Path, **given: str) -> dict[str, Any]:
        """The page's findings, after it was opened in Chromium with these values."""
        log = folder / "log.json"
        address = f"http://127.0.0.1:{self.port}/#{json.dumps(given)}"
        command = [str(CHROMIUM), *OPTIONS, f"--user-data-dir={folder}/profile", f"--log-net-log={log}", address]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
            try:
                assert self.told.wait(SECONDS), "the page has told nothing"
            finally:
                browser.terminate()
        return self.found


@pytest.fixture
def page() -> Iterator[_Page]:
    """The page's server."""
    page = _Page()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE.encode())

        def do_POST(self) -> None:
            page.found = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()
            page.told.set()

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        page.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield page
        server.shutdown()


def test_a_page_plays_and_seeks_by_the_link_and_sends_no_key_to_the_bucket(
    stack: DeployedStack, page: _Page, tmp_path: Path
) -> None:
    """It reads the job with its key, follows the link without, and asks for a URL as JSON as the documents say."""
    job_id = stack.submit(prompt="a wave in a browser", model="musicgen-small", duration=4)
    [output] = stack.wait(job_id)["outputs"]
    found = page.opened(tmp_path, api=f"{stack.deployment.api_url}/", key=stack.key, job=job_id)
    assert found == {
        "status": "succeeded",
        "duration": pytest.approx(4, abs=0.1),
        "played": True,
        "soughtTo": pytest.approx(3, abs=0.2),
        "bytes": output["bytes"],
        "part": [206, f"bytes 10-19/{output['bytes']}", 10],
        "byJson": output["bytes"],
        "peaks": True,
    }
    to_api, to_bucket = _requests(tmp_path / "log.json", stack.deployment.outputs["BucketName"])
    assert any(stack.key in text for text in to_api)
    assert len(to_bucket) >= 3
    assert [text for text in to_bucket if stack.key in text or "x-api-key" in text.lower()] == []


def _requests(log: Path, bucket: str) -> tuple[list[str], list[str]]:
    """The headers of each request, to the API and to the bucket."""
    text = log.read_text()
    events = json.loads(text if text.rstrip().endswith("}") else text.rstrip().rstrip(",") + "]}")["events"]
    sent = [event["params"] for event in events if "headers" in event.get("params", {}) and "line" in event["params"]]
    headers = ["\n".join([params["line"], *params["headers"]]) for params in sent]
    to_bucket = [text for text in headers if bucket in text.partition("?")[0]]
    return [text for text in headers if text not in to_bucket], to_bucket
