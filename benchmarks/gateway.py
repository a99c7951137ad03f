"""The synchronous way, stood in for honestly: a front that calls the model server itself and gives up after 29 s.

What Amazon API Gateway does with a Lambda behind it: its integration timeout is 29 s, the caller then gets 504 with
this body, and the function goes on, as does the provider that it has asked.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import cast

import msgspec
from longplay.providers.hugging_face.adapter import HuggingFace
from longplay.providers.protocol import Call, Done

INTEGRATION_TIMEOUT = 29.0  # seconds
GAVE_UP = b'{"message": "Endpoint request timed out"}'
LONGEST_CALL = 300.0  # seconds, what the function behind it would allow


@contextmanager
def synchronous_api(model_server: str, *, timeout: float = INTEGRATION_TIMEOUT) -> Iterator[str]:
    """The address of an API whose POST answers with the sound itself, or with 504 after `timeout` seconds."""
    with ThreadPoolExecutor() as functions, _Front(model_server, timeout, functions) as front:
        Thread(target=front.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{front.server_port}"
        front.shutdown()


class _Front(ThreadingHTTPServer):
    def __init__(self, model_server: str, timeout: float, functions: ThreadPoolExecutor) -> None:
        self.model_server, self.patience, self.functions = model_server, timeout, functions
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        front = cast(_Front, self.server)
        prompt = msgspec.json.decode(self.rfile.read(int(self.headers["Content-Length"])))["prompt"]
        running = front.functions.submit(_generate, front.model_server, prompt)
        try:
            self._send(200, "audio/wav", running.result(timeout=front.patience))
        except TimeoutError:
            self._send(504, "application/json", GAVE_UP)

    def log_message(self, *_: object) -> None:
        """Silent."""

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _generate(model_server: str, prompt: str) -> bytes:
    """The work of a synchronous function: the same call as Longplay's generator makes, and its file."""
    provider = HuggingFace(lambda _: None, forget_tokens=lambda: None)
    with tempfile.TemporaryDirectory() as folder:
        done = provider.submit(_call(model_server, prompt, Path(folder)))
        assert isinstance(done, Done)
        return done.files[0].path.read_bytes()


def _call(model_server: str, prompt: str, folder: Path) -> Call:
    return Call(
        kind="music",
        model="facebook/musicgen-small",
        url=f"{model_server}/models/facebook/musicgen-small",
        style="",
        prompt=prompt,
        parameters={"duration": 10},
        image=None,
        timeout=LONGEST_CALL,
        folder=folder,
    )
