"""The stand-in model server: a real HTTP server on loopback, in a thread of its own."""

import json
import time
import uuid
from dataclasses import asdict
from email.message import Message
from typing import Any, cast

from local.stand_ins.framework.answers import Answer, Refused, says
from local.stand_ins.framework.listener import Handler, Listener
from local.stand_ins.framework.memory import Exchange, without_images
from local.stand_ins.framework.server import StandIn
from local.stand_ins.model.faults import FAULTS, Call, Fault, Faults
from local.stand_ins.model.gates import Gates, RateLimit
from local.stand_ins.model.results import Results
from local.stand_ins.model.wire import parse
from local.stand_ins.pipelines.asked import Asked, AudioShape


class ModelServer(StandIn):
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
        super().__init__(port, _Handler)
        self.model = model
        self.results = Results(quick=quick, shape=audio)
        self.gates = Gates(token=token, rate_limit=rate_limit, cold_start=cold_start)
        self.faults = Faults()

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

    def answer(self, asked: Asked, headers: Message, exchange: Exchange) -> Answer:
        """Refused at a gate, met by a fault, or the true result; what would be billed is counted here."""
        if refusal := self.gates.refuse(asked, headers):
            return refusal
        fault = self.faults.take(asked)
        exchange.fault = fault.fault if fault else None
        call = Call(asked=asked, results=self.results, closed=self.closed)
        answer = FAULTS[fault.fault](call, fault) if fault else call.generate()
        if fault is None or fault.costs:
            self.memory.bill(exchange)
        return answer


class _Handler(Handler):
    @property
    def owner(self) -> ModelServer:
        return cast(ModelServer, cast(Listener, self.server).owner)

    def respond(self) -> None:
        match self.command, self.path:
            case "GET", "/" | "/health":
                self._send(Answer(content_type="text/plain", body=b"Ok"))
            case "GET", "/control/requests":
                asked = [asdict(exchange) for exchange in self.owner.requests]
                self._send(says(200, {"generations": self.owner.generations, "requests": asked}))
            case "DELETE", "/control":
                self.owner.clear()
                self._send(Answer(status=204))
            case "POST", "/control/faults":
                self._send(self._add_fault(self.body()))
            case "POST", _:
                self._exchange(self.body())
            case _:
                self._send(self.no_route())

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

    def _send(self, answer: Answer, *, took: float = 0.0) -> bool:
        request_id = uuid.uuid4().hex
        headers = {
            "x-request-id": request_id,
            "x-inference-id": request_id,
            "x-compute-type": "cpu",
            "x-compute-time": f"{took:.3f}",
        }
        return self.send(answer, headers)
