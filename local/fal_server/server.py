"""The stand-in for fal: a real HTTP server on loopback, in a thread of its own."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from email.message import Message
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from local.fal_server.callbacks import callback_about
from local.fal_server.faults import (
    FILES,
    REFUSALS,
    SLOW,
    Fault,
    Faults,
    Stage,
    detail,
    invalid,
    no_such_app,
    no_such_request,
    unauthorized,
)
from local.fal_server.models import APPS, MODELS, Model, app_of
from local.fal_server.requests import Fate, Request
from local.model_server.hosted import File, render
from local.stand_in.answers import Answer, Refused, says
from local.stand_in.callback import Callback
from local.stand_in.files import file_answer
from local.stand_in.listener import Handler, Listener
from local.stand_in.memory import Exchange, without_images
from local.stand_in.schema import faults_in
from local.stand_in.server import StandIn

ONE = re.compile(r"/([\w.-]+/[\w.-]+)/requests/([\w-]+)(/status|/cancel)?")
PLATFORM = ("/v1/models", "/v1/models/pricing")
DELIVERY = re.compile(r"/files/([\w-]+)/([\w.-]+)")


class FalServer(StandIn):
    """Speaks fal's queue API at `url` from `start()` (or `with`) until `close()`; result files lie on it too.

    A request is over once it was polled `polls` times and is `seconds` old, whichever comes last; `finish` ends one at
    once. `quick` renders the least that is valid, `token` is the key it insists on. Callbacks are sent by `call_back`,
    when and as often as it is called.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        quick: bool = False,
        polls: int = 1,
        seconds: float = 0.0,
        token: str | None = None,
    ) -> None:
        super().__init__(port, _Handler)
        self.quick, self.polls, self.seconds, self.token = quick, polls, seconds, token
        self.faults = Faults()
        self._queue: dict[str, Request] = {}
        self._lock = threading.Lock()

    @property
    def queue(self) -> list[Request]:
        """Every request made so far, in order."""
        with self._lock:
            return list(self._queue.values())

    @property
    def generations(self) -> int:
        """How many requests would be billed: not fal's own faults, and none that was canceled before it began."""
        return sum(request.billed for request in self.queue)

    def fault(self, fault: str, **details: Any) -> None:
        """Let something go wrong from now on; the details are Fault's fields."""
        where = {"at": Stage.FILE} if fault in FILES else {}
        self.faults.add(Fault(fault=fault, **(where | details)))

    def finish(self, request_id: str) -> None:
        """End a request now."""
        self._queue[request_id].end()

    def callback(self, request_id: str) -> Callback:
        """The callback about a request as it will have ended, to the URL that was given for it."""
        request = self._queue[request_id]
        if request.webhook is None:
            raise LookupError(f"nobody asked to be called back about {request_id}")
        return callback_about(request, self.url)

    def call_back(self, request_id: str) -> int:
        """Make that callback; the status it was answered with."""
        return self.callback(request_id).send()

    def clear(self) -> None:
        """Forget faults and requests."""
        self.faults.clear()
        self.memory.clear()
        with self._lock:
            self._queue.clear()

    def create(self, endpoint: str, given: dict[str, Any], *, webhook: str | None, deadline: str | None) -> Answer:
        """Queue a request; what is wrong with its input is found out later, by the model."""
        if app_of(endpoint) not in APPS:
            return no_such_app(app_of(endpoint))
        fault = self.faults.at(Stage.CREATE, _prompt(given))
        if fault and not fault.creates:
            return REFUSALS[fault.fault](fault)
        fate, file = self._generate(endpoint, given)
        model = MODELS.get(endpoint)
        made = Request(
            app=app_of(endpoint),
            endpoint=endpoint,
            input=given,
            webhook=webhook,
            fate=fate,
            files=[file] if file else [],
            place=model.place if model else "",
            deadline=deadline,
        )
        with self._lock:
            self._queue[made.id] = made
        return self._refusal(fault) or says(200, made.shown(self.url))

    def show(self, found: Request) -> Answer:
        """How far a request is, one poll further."""
        found.polled(polls=self.polls, seconds=self.seconds)
        return says(200 if found.status == "COMPLETED" else 202, found.shown(self.url))

    def answer(self, found: Request) -> Answer:
        """A request's result."""
        if found.status != "COMPLETED":
            return detail(400, "Request is still in progress")
        if found.fate.erased:
            return no_such_request()
        return says(found.fate.status, found.result(self.url), **found.fate.headers)

    def cancel(self, found: Request) -> Answer:
        """Take a request out of the queue, or stop it; one that is over stays as it is."""
        if not found.cancel():
            return says(400, {"status": "ALREADY_COMPLETED"})
        return says(202, {"status": "CANCELLATION_REQUESTED"})

    def about(self, app: str, request_id: str, stage: Stage) -> Answer:
        """What is asked about one request."""
        found = self._queue.get(request_id)
        if refusal := self._refusal(self.faults.at(stage, _prompt(found.input) if found else "")):
            return refusal
        return _ASKED[stage](self, found) if found and found.app == app else no_such_request()

    def deliver(self, request_id: str, name: str, asked: Message) -> Answer:
        """A result's file, or as much of it as the headers ask for."""
        found = self._queue.get(request_id)
        file = next((file for file in found.files if file.name == name), None) if found else None
        if found is None or file is None:
            return Answer(status=404, content_type="text/plain", body=b"Not found")
        fault = self.faults.at(Stage.FILE, _prompt(found.input))
        sound = file_answer(file.content, file.content_type, asked)
        if fault and fault.fault in FILES:
            return FILES[fault.fault](fault, sound)
        return self._refusal(fault) or sound

    def _generate(self, endpoint: str, given: dict[str, Any]) -> tuple[Fate, File | None]:
        """What will become of a request, and its file if it brings one."""
        model = MODELS.get(endpoint)
        if model is None:
            said = f"Path /{endpoint.removeprefix(app_of(endpoint)).strip('/')} not found"
            return Fate(status=404, body={"detail": said}, error=said), None
        if wrong := faults_in(model.fields, given):
            return invalid(wrong), None
        return self._rendered(model, given)

    def _rendered(self, model: Model, given: dict[str, Any]) -> tuple[Fate, File | None]:
        try:
            return self.faults.fate(_prompt(given)), render(model.asked(given), quick=self.quick)
        except Refused as refused:
            return invalid([("image_url", str(refused.answer.body))]), None

    def _refusal(self, fault: Fault | None) -> Answer | None:
        if fault is None:
            return None
        if fault.fault == SLOW:
            self.closed.wait(fault.seconds)
            return None
        return REFUSALS[fault.fault](fault)


class _Handler(Handler):
    @property
    def owner(self) -> FalServer:
        return cast(FalServer, cast(Listener, self.server).owner)

    def respond(self) -> None:
        exchange = self.owner.memory.open(self.command, self.path, dict(self.headers.items()))
        answer = self._answer(self.body(), exchange)
        exchange.status = None if answer.raw else answer.status
        exchange.lost = not self.send(answer, {})

    def _answer(self, body: bytes, exchange: Exchange) -> Answer:
        url = urlsplit(self.path)
        if file := DELIVERY.fullmatch(url.path):
            return self.owner.deliver(file[1], file[2], self.headers)
        if self.owner.token and self.headers.get("Authorization") != f"Key {self.owner.token}":
            return unauthorized()
        if url.path in PLATFORM and self.command == "GET":
            return _listed(url.path, parse_qs(url.query)["endpoint_id"][0])
        if one := ONE.fullmatch(url.path):
            stage = _STAGES.get((self.command, one[3]))
            return self.owner.about(one[1], one[2], stage) if stage else self.no_route()
        return (
            self._create(url.path.strip("/"), url.query, body, exchange) if self.command == "POST" else self.no_route()
        )

    def _create(self, endpoint: str, query: str, body: bytes, exchange: Exchange) -> Answer:
        try:
            given = json.loads(body)
        except ValueError as error:
            return detail(422, str(error))
        exchange.model, exchange.parameters = endpoint, without_images(given)
        webhook = parse_qs(query).get("fal_webhook", [None])[0]
        return self.owner.create(endpoint, given, webhook=webhook, deadline=self.headers.get("X-Fal-Request-Timeout"))


_ASKED: Mapping[Stage, Callable[[FalServer, Request], Answer]] = {
    Stage.POLL: FalServer.show,
    Stage.RESULT: FalServer.answer,
    Stage.CANCEL: FalServer.cancel,
}
_STAGES = {("GET", "/status"): Stage.POLL, ("GET", None): Stage.RESULT, ("PUT", "/cancel"): Stage.CANCEL}


def _prompt(given: dict[str, Any]) -> str:
    return str(given.get("prompt", ""))


def _listed(path: str, endpoint: str) -> Answer:
    """An endpoint as fal's platform API lists it, or its price (docs.fal.ai/platform-apis/v1/models, 2026-11)."""
    if path == "/v1/models":
        known = [{"endpoint_id": endpoint, "metadata": {"status": "active"}}] if endpoint in MODELS else []
        return says(200, {"models": known, "has_more": False, "next_cursor": None})
    if endpoint not in MODELS:
        return says(404, {"error": {"type": "not_found", "message": "Endpoint not found"}})
    price = {"endpoint_id": endpoint, "unit_price": 0.01, "unit": "image", "currency": "USD"}
    return says(200, {"prices": [price], "has_more": False, "next_cursor": None})
