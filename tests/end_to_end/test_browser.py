"""A page of another origin plays files of the deployed stack in Chromium."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request

from tests.end_to_end.deployed_stack import DeployedStack

PAGE = (Path(__file__).parent / "page.html").read_bytes()


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of a page of another origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_: object) -> None:
            """Nothing is logged."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def test_a_page_plays_and_seeks_by_the_link_and_sends_no_key_to_the_bucket(
    stack: DeployedStack, elsewhere: str, browser: Browser
) -> None:
    """It reads the job with its key, follows the link without, and asks for a URL as JSON as the documents say."""
    job_id = stack.submit(prompt="a wave in a browser", model="musicgen-small", duration=4)
    [output] = stack.wait(job_id)["outputs"]
    page, sent = browser.new_page(), list[Request]()
    page.on("request", lambda request: sent.append(request))
    page.goto(f"{elsewhere}#{json.dumps({'api': f'{stack.deployment.api_url}/', 'key': stack.key, 'job': job_id})}")
    assert page.wait_for_function("window.found").json_value() == {
        "status": "succeeded",
        "duration": pytest.approx(4, abs=0.1),
        "played": True,
        "soughtTo": pytest.approx(3, abs=0.2),
        "bytes": output["bytes"],
        "part": [206, f"bytes 10-19/{output['bytes']}", 10],
        "byJson": output["bytes"],
        "peaks": True,
    }
    to_api, to_bucket = _requests(sent, stack.deployment.outputs["BucketName"])
    assert any(stack.key in text for text in to_api)
    assert len(to_bucket) >= 3
    assert [text for text in to_bucket if stack.key in text or "x-api-key" in text.lower()] == []


def _requests(sent: list[Request], bucket: str) -> tuple[list[str], list[str]]:
    """The address and headers of each request, to the API and to the bucket."""
    to_api, to_bucket = list[str](), list[str]()
    for request in sent:
        text = f"{request.url} {request.all_headers()}"
        (to_bucket if f"/{bucket}/" in request.url else to_api).append(text)
    return to_api, to_bucket
