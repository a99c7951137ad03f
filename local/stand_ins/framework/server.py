"""A stand-in server: it answers in a thread from `start()` (or `with`) until `close()`, and remembers its requests."""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Self

from local.stand_ins.framework.answers import Answer, Refused, says
from local.stand_ins.framework.faults import Fault, FaultTable
from local.stand_ins.framework.listener import Handler, Listener
from local.stand_ins.framework.memory import Exchange, Memory
from local.stand_ins.framework.rules import Faults

HEALTHY = Answer(content_type="text/plain", body=b"Ok")


class StandIn:
    """Listens at `url`; `port` 0 lets the kernel choose. `faults` are those in force, `memory` is of its requests.

    It can be controlled over HTTP too: POST /control/faults adds a fault, GET /control/requests shows what it was
    asked, DELETE /control forgets both.
    """

    #: Everything that can go wrong.
    table: FaultTable[Any] = FaultTable(kinds={})
    health_paths: tuple[str, ...] = ("/health",)

    def __init__(self, port: int = 0, handler: type[Handler] = Handler) -> None:
        self.memory = Memory()
        self.closed = threading.Event()
        self.faults: Faults[Any] = Faults(self.table, self.closed)
        self._listener = Listener(port, handler, self)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)

    def answer(self, request: Handler, body: bytes, exchange: Exchange) -> Answer:  # noqa: ARG002
        """The answer to a request; may add details to the exchange; raises Refused."""
        return request.no_route()

    def headers(self, seconds: float) -> Mapping[str, str]:  # noqa: ARG002
        """The headers of every answer, here one that took so many seconds."""
        return {}

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._listener.url

    @property
    def requests(self) -> list[Exchange]:
        """Every request so far, in order of arrival."""
        return self.memory.exchanges

    @property
    def generations(self) -> int:
        """The number of generations that would have been billed."""
        return self.memory.generations

    def fault(self, fault: str, **details: Any) -> Fault:
        """Put a fault in force; the details are Fault's fields; raises ValueError or TypeError as `parse` does."""
        rule = self.table.parse(fault, details)
        self.faults.add(rule)
        return rule

    def clear(self) -> None:
        """Forget faults, requests and generations."""
        self.faults.clear()
        self.memory.clear()

    def start(self) -> Self:
        """Begin to listen."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop listening, and close every connection."""
        self.closed.set()
        self._listener.shutdown()
        self._listener.hang_up()
        self._listener.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def respond(self, request: Handler) -> None:
        """Answer one request, and remember it unless it was to the control paths."""
        if control := self._control(request):
            request.send(control, self.headers(0))
        else:
            self._exchange(request)

    def _exchange(self, request: Handler) -> None:
        exchange = self.memory.open(request.command, request.path, dict(request.headers.items()))
        began = time.perf_counter()
        answer = self._answer(request, exchange)
        exchange.status = None if answer.raw else answer.status
        exchange.lost = not request.send(answer, self.headers(time.perf_counter() - began))
        exchange.finished_at = time.time()

    def _answer(self, request: Handler, exchange: Exchange) -> Answer:
        try:
            return self.answer(request, request.body(), exchange)
        except Refused as refused:
            return refused.answer

    def _control(self, request: Handler) -> Answer | None:
        match request.command, request.path:
            case "GET", path if path in self.health_paths:
                return HEALTHY
            case "GET", "/control/requests":
                exchanges = [asdict(exchange) for exchange in self.requests]
                return says(200, {"generations": self.generations, "requests": exchanges})
            case "DELETE", "/control":
                self.clear()
                return Answer(status=204)
            case "POST", "/control/faults":
                return self._add_fault(request.body())
        return None

    def _add_fault(self, body: bytes) -> Answer:
        try:
            return says(201, asdict(self.fault(**json.loads(body))))
        except (TypeError, ValueError) as error:
            return says(400, {"error": str(error)})
