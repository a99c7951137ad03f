"""The stand-in for Replicate: a real HTTP server on loopback, in a thread of its own."""

import json
import re
import threading
from email.message import Message
from typing import Any, cast

from local.model_server.hosted import render
from local.replicate_server.callbacks import new_key, signed
from local.replicate_server.faults import (
    FILES,
    REFUSALS,
    SLOW,
    Fault,
    Faults,
    Stage,
    invalid,
    not_found,
    unauthorized,
    unknown_version,
)
from local.replicate_server.models import MODELS
from local.replicate_server.predictions import Fate, Prediction
from local.stand_in.answers import Answer, Refused, says
from local.stand_in.callback import Callback
from local.stand_in.files import file_answer
from local.stand_in.listener import Handler, Listener
from local.stand_in.memory import Exchange, without_images
from local.stand_in.schema import faults_in
from local.stand_in.server import StandIn

OFFICIAL = re.compile(r"/v1/models/([\w.-]+/[\w.-]+)/predictions")
VERSIONED = re.compile(r"([\w.-]+/[\w.-]+):([0-9a-f]{64})")
KNOWN = re.compile(r"/v1/models/([\w.-]+/[\w.-]+)(?:/versions/([0-9a-f]{64}))?")
ONE = re.compile(r"/v1/predictions/(\w+)(/cancel)?")
DELIVERY = re.compile(r"/delivery/(\w+)/([\w.-]+)")


class ReplicateServer(StandIn):
    """Speaks Replicate's API at `url` from `start()` (or `with`) until `close()`; result files lie on it too.

    A prediction is over once it was polled `polls` times and is `seconds` old, whichever comes last; `finish` ends one
    at once. `quick` renders the least that is valid, `token` is the bearer token it insists on. Callbacks are sent by
    `call_back`, when and as often as it is called.
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
        self.webhook_key = new_key()
        self.faults = Faults()
        self._predictions: dict[str, Prediction] = {}
        self._lock = threading.Lock()

    @property
    def predictions(self) -> list[Prediction]:
        """Every prediction made so far, in order."""
        with self._lock:
            return list(self._predictions.values())

    @property
    def generations(self) -> int:
        """How many predictions would be billed: all but those given up before they started."""
        return sum(prediction.billed for prediction in self.predictions)

    def fault(self, fault: str, **details: Any) -> None:
        """Let something go wrong from now on; the details are Fault's fields."""
        where = {"at": Stage.FILE} if fault in FILES else {}
        self.faults.add(Fault(fault=fault, **(where | details)))

    def finish(self, prediction_id: str) -> None:
        """End a prediction now."""
        self._predictions[prediction_id].end()

    def callback(self, prediction_id: str) -> Callback:
        """The callback about a prediction as it now is, to the URL that was given for it."""
        prediction = self._predictions[prediction_id]
        if prediction.webhook is None:
            raise LookupError(f"nobody asked to be called back about {prediction_id}")
        return signed(prediction.webhook, prediction.shown(self.url), self.webhook_key)

    def call_back(self, prediction_id: str) -> int:
        """Make that callback; the status it was answered with."""
        return self.callback(prediction_id).send()

    def clear(self) -> None:
        """Forget faults, requests and predictions."""
        self.faults.clear()
        self.memory.clear()
        with self._lock:
            self._predictions.clear()

    def create(self, model: str, version: str, order: dict[str, Any]) -> Answer:
        """Make a prediction of a parsed order, if nothing is wrong with it."""
        given, known = order.get("input"), MODELS.get(model)
        if known is None:
            return not_found() if version == "hidden" else unknown_version()
        if not isinstance(given, dict):
            return invalid([("", "input is required")])
        if wrong := faults_in(known.fields, given):
            return invalid(wrong)
        fault = self.faults.at(Stage.CREATE, _prompt(given))
        if fault and not fault.creates:
            return REFUSALS[fault.fault](fault)
        made = self._make(model, version, given, order.get("webhook"))
        return self._refusal(fault) or says(201, made.shown(self.url))

    def show(self, prediction_id: str) -> Answer:
        """A prediction, one poll further."""
        found = self._predictions.get(prediction_id)
        if refusal := self._refusal(self.faults.at(Stage.POLL, _prompt(found.input) if found else "")):
            return refusal
        if found is None:
            return not_found()
        found.polled(polls=self.polls, seconds=self.seconds)
        return says(200, found.shown(self.url))

    def cancel(self, prediction_id: str) -> Answer:
        """Cancel a prediction; one that is over stays as it is."""
        found = self._predictions.get(prediction_id)
        if refusal := self._refusal(self.faults.at(Stage.CANCEL, _prompt(found.input) if found else "")):
            return refusal
        if found is None:
            return not_found()
        found.cancel()
        return says(200, found.shown(self.url))

    def deliver(self, prediction_id: str, name: str, asked: Message) -> Answer:
        """A result's file, or as much of it as the headers ask for."""
        found = self._predictions.get(prediction_id)
        file = next((file for file in found.files if file.name == name), None) if found else None
        if found is None or file is None:
            return Answer(status=404, content_type="text/plain", body=b"Not found")
        fault = self.faults.at(Stage.FILE, _prompt(found.input))
        sound = file_answer(file.content, file.content_type, asked)
        if fault and fault.fault in FILES:
            return FILES[fault.fault](fault, sound)
        return self._refusal(fault) or sound

    def _make(self, model: str, version: str, given: dict[str, Any], webhook: str | None) -> Prediction:
        fate, files = self.faults.fate(_prompt(given)), []
        try:
            files = [render(MODELS[model].asked(given), quick=self.quick)]
        except Refused as refused:
            fate = Fate(status="failed", error=str(refused.answer.body))
        prediction = Prediction(
            model=model,
            version=version,
            input=given,
            webhook=webhook,
            fate=fate,
            files=files,
            single=MODELS[model].single,
        )
        with self._lock:
            self._predictions[prediction.id] = prediction
        return prediction

    def _refusal(self, fault: Fault | None) -> Answer | None:
        if fault is None:
            return None
        if fault.fault == SLOW:
            self.closed.wait(fault.seconds)
            return None
        return REFUSALS[fault.fault](fault)


class _Handler(Handler):
    @property
    def owner(self) -> ReplicateServer:
        return cast(ReplicateServer, cast(Listener, self.server).owner)

    def respond(self) -> None:
        exchange = self.owner.memory.open(self.command, self.path, dict(self.headers.items()))
        answer = self._answer(self.body(), exchange)
        exchange.status = None if answer.raw else answer.status
        exchange.lost = not self.send(answer, {})

    def _answer(self, body: bytes, exchange: Exchange) -> Answer:
        if file := DELIVERY.fullmatch(self.path):
            return self.owner.deliver(file[1], file[2], self.headers)
        if self.owner.token and self.headers.get("Authorization") != f"Bearer {self.owner.token}":
            return unauthorized()
        if self.command == "POST" and not self.path.endswith("/cancel"):
            return self._create(body, exchange)
        return self._one()

    def _create(self, body: bytes, exchange: Exchange) -> Answer:
        try:
            order = json.loads(body)
        except ValueError as error:
            return invalid([("", str(error))])
        exchange.parameters = without_images(order)
        if official := OFFICIAL.fullmatch(self.path):
            exchange.model = official[1]
            return self.owner.create(official[1], "hidden", order)
        versioned = VERSIONED.fullmatch(str(order.get("version")))
        if self.path != "/v1/predictions" or versioned is None:
            return unknown_version() if self.path == "/v1/predictions" else not_found()
        exchange.model = versioned[1]
        return self.owner.create(versioned[1], versioned[2], order)

    def _one(self) -> Answer:
        if self.path == "/v1/webhooks/default/secret":
            return says(200, {"key": self.owner.webhook_key})
        if self.path == "/v1/account":
            return says(200, {"type": "organization", "username": "longplay", "name": "Longplay"})
        if known := KNOWN.fullmatch(self.path):
            return _description(known[1], known[2])
        one = ONE.fullmatch(self.path)
        if one is None:
            return not_found()
        stops = one[2] and self.command == "POST"
        return self.owner.cancel(one[1]) if stops else self.owner.show(one[1])


def _description(model: str, version: str | None) -> Answer:
    """A model or a version of it, by as much as tells that it is there."""
    if model not in MODELS:
        return not_found()
    owner, _, name = model.partition("/")
    return says(200, {"id": version} if version else {"owner": owner, "name": name, "visibility": "public"})


def _prompt(given: dict[str, Any]) -> str:
    return str(given.get("prompt", ""))
