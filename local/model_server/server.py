"""The stand-in model server: a real HTTP server on loopback, in a thread of its own."""

import contextlib
import json
import logging
import socket
import threading
import time
import uuid
from dataclasses import asdict
from email.message import Message
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Self, cast

from local.model_server.faults import FAULTS, Call, Fault, Faults
from local.model_server.gates import Gates, RateLimit
from local.model_server.memory import Exchange, Memory, without_images
from local.model_server.studio import Studio
from local.model_server.wire import Answer, Asked, AudioShape, Refused, parse, says

LABEL = "rendered by procedure; no model made this"
LARGEST_BODY = 64_000_000
log = logging.getLogger(__name__)


class ModelServer:
    """Speaks Hugging Face's contract at `url` from `start()` (or `with`) until `close()`.

    `port` 0 lets the kernel choose. `quick` renders the least that is valid. `cold_start` is in seconds per model after
    its first call. `token` is the bearer token it insists on. `model` makes it a dedicated server for that one.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        quick: bool = False,
        cold_start: float = 0.0,
        rate_limit: RateLimit | None = None,
        token: str | None = None,
        model: str | None = None,
        audio: AudioShape = AudioShape.TOOLKIT,
    ) -> None:
        self.model = model
        self.studio = Studio(quick=quick, shape=audio)
        self.gates = Gates(token=token, rate_limit=rate_limit, cold_start=cold_start)
        self.faults = Faults()
        self.memory = Memory()
        self.closed = threading.Event()
        self._listener = _Listener(port, self)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        host, port = self._listener.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def requests(self) -> list[Exchange]:
        """Everything asked so far, in order of arrival, /control and health checks left out."""
        return self.memory.exchanges

    @property
    def generations(self) -> int:
        """How many requests would have been billed: answered with a result, or lost on its way back."""
        return self.memory.generations

    def fault(self, fault: str, **details: Any) -> None:
        """Let requests go wrong from now on; the details are Fault's fields."""
        self.faults.add(Fault(fault=fault, **details))

    def clear(self) -> None:
        """Forget faults, requests and generations."""
        self.faults.clear()
        self.memory.clear()

    def start(self) -> Self:
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop listening and hang up on everybody."""
        self.closed.set()
        self._listener.shutdown()
        self._listener.hang_up()
        self._listener.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def answer(self, asked: Asked, headers: Message, exchange: Exchange) -> Answer:
        """Refused at a gate, met by a fault, or the true result; what would be billed is counted here."""
        if refusal := self.gates.refuse(asked, headers):
            return refusal
        fault = self.faults.take(asked)
        exchange.fault = fault.fault if fault else None
        call = Call(asked=asked, studio=self.studio, closed=self.closed)
        answer = FAULTS[fault.fault](call, fault) if fault else call.generate()
        if fault is None or fault.costs:
            self.memory.bill(exchange)
        return answer


class _Listener(ThreadingMixIn, TCPServer):
    """Not http.server's, which looks up its host's name before it listens."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, port: int, owner: ModelServer) -> None:
        self.owner = owner
        self.lines: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

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
        log.exception("a request failed in the stand-in model server")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    @property
    def owner(self) -> ModelServer:
        return cast(_Listener, self.server).owner

    def do_GET(self) -> None:
        match self.path:
            case "/" | "/health":
                self._send(Answer(content_type="text/plain", body=b"Ok"))
            case "/control/requests":
                asked = [asdict(exchange) for exchange in self.owner.requests]
                self._send(says(200, {"generations": self.owner.generations, "requests": asked}))
            case _:
                self._send(self._no_route())

    def do_DELETE(self) -> None:
        if self.path == "/control":
            self.owner.clear()
            self._send(Answer(status=204))
        else:
            self._send(self._no_route())

    def do_POST(self) -> None:
        body = self._body()
        if self.path == "/control/faults":
            self._send(self._add_fault(body))
        else:
            self._exchange(body)

    def log_message(self, *_: object) -> None:
        """Its own log is silent: what was asked is remembered instead."""

    def _exchange(self, body: bytes) -> None:
        exchange = self.owner.memory.open("POST", self.path, dict(self.headers.items()))
        began = time.perf_counter()
        answer = self._answer(body, exchange)
        exchange.status = None if answer.raw else answer.status
        exchange.lost = not self._send(answer, took=time.perf_counter() - began)
        exchange.finished_at = time.time()

    def _answer(self, body: bytes, exchange: Exchange) -> Answer:
        try:
            path = self.path.partition("?")[0]
            asked = parse(path, self.headers, body, model=self.owner.model)
            exchange.model, exchange.task = asked.model, asked.task
            exchange.inputs = without_images(asked.inputs)
            exchange.parameters = without_images(asked.parameters)
            return self.owner.answer(asked, self.headers, exchange)
        except Refused as refused:
            return refused.answer

    def _add_fault(self, body: bytes) -> Answer:
        try:
            fault = Fault(**json.loads(body))
        except (TypeError, ValueError) as error:
            return says(400, {"error": str(error)})
        self.owner.faults.add(fault)
        return says(201, asdict(fault))

    def _no_route(self) -> Answer:
        return Answer(status=404, content_type="text/plain", body=f"Cannot {self.command} {self.path}".encode())

    def _body(self) -> bytes:
        return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), LARGEST_BODY))

    def _send(self, answer: Answer, *, took: float = 0.0) -> bool:
        """Whether the caller was still there to take all of it."""
        chunks = [answer.body] if isinstance(answer.body, bytes) else answer.body
        self.close_connection = self.close_connection or answer.raw or answer.length is not None
        try:
            if not answer.raw:
                self._send_head(answer, took)
            for chunk in chunks:
                self.wfile.write(chunk)
                self.wfile.flush()
        except ConnectionError:
            self.close_connection = True
            return False
        return True

    def _send_head(self, answer: Answer, took: float) -> None:
        size = len(answer.body) if isinstance(answer.body, bytes) else 0
        self.send_response(answer.status)
        request_id = uuid.uuid4().hex
        for name, value in {
            "Content-Type": answer.content_type,
            "Content-Length": str(size if answer.length is None else answer.length),
            "x-request-id": request_id,
            "x-inference-id": request_id,
            "x-compute-type": "cpu",
            "x-compute-time": f"{took:.3f}",
            "x-longplay-stand-in": LABEL,
            **answer.headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
