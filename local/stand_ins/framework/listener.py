"""The listener of every stand-in: a threaded HTTP server on loopback."""

import contextlib
import logging
import socket
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, cast

from local.stand_ins.framework.answers import Answer

LABEL = "rendered by procedure; no model made this"
LARGEST_BODY = 64_000_000  # bytes
log = logging.getLogger(__name__)


class Listener(ThreadingMixIn, TCPServer):
    """Passes each request to `owner.respond`. Not http.server's own class, which looks up the host's name first."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, port: int, handler: type["Handler"], owner: Any) -> None:
        self.owner = owner
        self.connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection, and remember it."""
        connection, address = super().get_request()
        self.connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self.connections.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Close every connection: one that is kept alive would be served even after the listener is closed."""
        for connection in self.connections.copy():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Log an error in a stand-in's own code."""
        log.exception("a request failed in a stand-in server")


class Handler(BaseHTTPRequestHandler):
    """One request of a connection: its method is `command`, and `send` answers it."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def respond(self) -> None:
        """Let the listener's owner answer."""
        cast(Listener, self.server).owner.respond(self)

    def do_GET(self) -> None:
        self.respond()

    def do_POST(self) -> None:
        self.respond()

    def do_PUT(self) -> None:
        self.respond()

    def do_DELETE(self) -> None:
        self.respond()

    def log_message(self, *_: object) -> None:
        """Print nothing: each stand-in remembers its requests instead."""

    def body(self) -> bytes:
        """The request's body; to be read once."""
        return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LARGEST_BODY))

    def no_route(self) -> Answer:
        """The answer at a path that does not exist."""
        return Answer(status=404, content_type="text/plain", body=f"Cannot {self.command} {self.path}".encode())

    def send(self, answer: Answer, headers: Mapping[str, str]) -> bool:
        """Send an answer, even a broken one, as it is; returns whether the caller was there to take all of it."""
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
