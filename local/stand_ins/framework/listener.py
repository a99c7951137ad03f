"""A listener on loopback, and how it reads bodies and sends answers."""

import contextlib
import logging
import socket
from abc import ABC, abstractmethod
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from local.stand_ins.framework.answers import Answer

LABEL = "rendered by procedure; no model made this"
LARGEST_BODY = 64_000_000
log = logging.getLogger(__name__)


class Listener(ThreadingMixIn, TCPServer):
    """Serves `owner` by `handler`; not http.server's, which looks up its host's name before it listens."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, port: int, handler: type["Handler"], owner: Any) -> None:
        self.owner = owner
        self.lines: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), handler)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def get_request(self) -> tuple[Any, Any]:
        line, address = super().get_request()
        self.lines.add(line)
        return line, address

    def shutdown_request(self, request: Any) -> None:
        self.lines.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """A connection kept alive would otherwise be served on after the server is closed."""
        for line in self.lines.copy():
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        log.exception("a request failed in a stand-in server")


class Handler(BaseHTTPRequestHandler, ABC):
    """One connection: `respond` answers what `command` and `path` say, `send` writes even a broken answer as it is."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    @abstractmethod
    def respond(self) -> None:
        """Read the request, and send its answer."""

    def do_GET(self) -> None:
        self.respond()

    def do_POST(self) -> None:
        self.respond()

    def do_PUT(self) -> None:
        self.respond()

    def do_DELETE(self) -> None:
        self.respond()

    def log_message(self, *_: object) -> None:
        """Its own log is silent: what was asked is remembered instead."""

    def body(self) -> bytes:
        return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LARGEST_BODY))

    def no_route(self) -> Answer:
        return Answer(status=404, content_type="text/plain", body=f"Cannot {self.command} {self.path}".encode())

    def send(self, answer: Answer, headers: Mapping[str, str]) -> bool:
        """Whether the caller was still there to take all of it."""
        chunks = [answer.body] if isinstance(answer.body, bytes) else answer.body
        self.close_connection = self.close_connection or answer.raw or answer.length is not None
        try:
            if not answer.raw:
                self._send_head(answer, headers)
            for chunk in chunks:
                self.wfile.write(chunk)
                self.wfile.flush()
        except ConnectionError:
            self.close_connection = True
            return False
        return True

    def _send_head(self, answer: Answer, headers: Mapping[str, str]) -> None:
        size = len(answer.body) if isinstance(answer.body, bytes) else 0
        self.send_response(answer.status)
        for name, value in {
            "Content-Type": answer.content_type,
            "Content-Length": str(size if answer.length is None else answer.length),
            "x-longplay-stand-in": LABEL,
            **headers,
            **answer.headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
