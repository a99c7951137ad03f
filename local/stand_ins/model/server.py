"""The stand-in for Hugging Face's model servers."""

import uuid
from collections.abc import Mapping
from typing import Any

from local.stand_ins.framework.answers import Answer
from local.stand_ins.framework.faults import Operation
from local.stand_ins.framework.listener import Handler
from local.stand_ins.framework.memory import Exchange, without_images
from local.stand_ins.framework.server import StandIn
from local.stand_ins.model.faults import FAULTS
from local.stand_ins.model.gates import Gates, RateLimit
from local.stand_ins.model.results import Results
from local.stand_ins.model.wire import parse
from local.stand_ins.pipelines.asked import Asked, AudioShape


class ModelServer(StandIn):
    """Speaks Hugging Face's contract at `url` from `start()` (or `with`) until `close()`.

    `port` 0 lets the kernel choose. `quick` renders the least that is valid media. `cold_start` is the seconds that
    each model loads after its first request. `token`, if given, is required of callers. `model` makes it a dedicated
    server for that model. A request is billed if it is answered with a result, or if its result is lost on the way.
    """

    table = FAULTS
    health_paths = ("/", "/health")

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
        super().__init__(port)
        self.model = model
        self.results = Results(quick=quick, shape=audio)
        self.gates = Gates(token=token, rate_limit=rate_limit, cold_start=cold_start)

    def headers(self, seconds: float) -> Mapping[str, str]:
        """The inference toolkit's headers."""
        request_id = uuid.uuid4().hex
        return {
            "x-request-id": request_id,
            "x-inference-id": request_id,
            "x-compute-type": "cpu",
            "x-compute-time": f"{seconds:.3f}",
        }

    def answer(self, request: Handler, body: bytes, exchange: Exchange) -> Answer:
        """The answer to a POST, refused at a gate, or changed by a fault, or the result."""
        if request.command != "POST":
            return request.no_route()
        asked = parse(request.path.partition("?")[0], request.headers, body, model=self.model)
        exchange.model, exchange.task = asked.model, asked.task
        exchange.inputs = without_images(asked.inputs)
        exchange.parameters = without_images(asked.parameters)
        return self.gates.refuse(asked, request.headers) or self._result(asked, exchange)

    def _result(self, asked: Asked, exchange: Exchange) -> Answer:
        """The result, unless a fault meets the request; counts what would be billed."""
        model = asked.model or asked.task
        fault = self.faults.at(Operation.CREATE, prompt=asked.prompt, model=model)
        exchange.fault = fault.fault if fault else None

        def proper(**changes: Any) -> Answer:
            return self.results.answer(asked, **changes)

        answer = self.faults.apply(fault, proper, model=model)
        if self.faults.creates(fault):
            self.memory.bill(exchange)
        return answer
