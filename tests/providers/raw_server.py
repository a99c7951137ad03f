"""An HTTP server on this machine that sends exactly the bytes a test gives it."""

import json
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

Script = Callable[[socket.socket], object]


@dataclass
class Request:
    """A request as it came: its first line, its headers in lower case, and its body."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


@dataclass
class RawServer:
    """Runs `script` on each connection, after it has read a request from it if `reads`."""

    script: Script = lambda _: None
    reads: bool = True
    requests: list[Request] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._serve, daemon=True)]

    @property
    def url(self) -> str:
        """The address of a model at this server."""
        return f"http://127.0.0.1:{self.port}/models/facebook/musicgen-small"

    def says(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """Answer every request with this."""
        self.script = lambda connection: connection.sendall(answer(status, body, headers))

    def drips(self, start: bytes, drop: bytes) -> None:
        """Send `start`, then `drop` every 10 ms until the caller or the test ends."""

        def script(connection: socket.socket) -> None:
            connection.sendall(start)
            while not self.stopped.wait(0.01):
                connection.sendall(drop)

        self.script = script

    def __enter__(self) -> "RawServer":
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._answer, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if self.reads:
                self.requests.append(_read(connection))
            self.script(connection)


def answer(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """A complete HTTP answer; `headers` replace the usual ones."""
    fields = {"Content-Length": str(len(body)), "Connection": "close", **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Status\r\n{head}\r\n".encode() + body


def _read(connection: socket.socket) -> Request:
    stream = connection.makefile("rb")
    line = stream.readline().decode().strip()
    headers = {}
    while text := stream.readline().decode().strip():
        name, _, value = text.partition(":")
        headers[name.lower()] = value.strip()
    return Request(line, headers, stream.read(int(headers.get("content-length", 0))))
