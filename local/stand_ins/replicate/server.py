"""The stand-in for Replicate."""

import json
import re
from functools import cached_property
from typing import Any

from local.stand_ins.framework.answers import Answer, Refused, says
from local.stand_ins.framework.callback import Callback
from local.stand_ins.framework.faults import Operation
from local.stand_ins.framework.listener import Handler
from local.stand_ins.framework.memory import Exchange, without_images
from local.stand_ins.framework.queued import CallingStandIn
from local.stand_ins.framework.schema import errors_in
from local.stand_ins.pipelines.hosted import render_file
from local.stand_ins.replicate.callbacks import new_key, signed
from local.stand_ins.replicate.faults import FAULTS, invalid, not_found, unknown_version
from local.stand_ins.replicate.models import MODELS
from local.stand_ins.replicate.predictions import Outcome, Prediction

OFFICIAL = re.compile(r"/v1/models/([\w.-]+/[\w.-]+)/predictions")
VERSIONED = re.compile(r"([\w.-]+/[\w.-]+):([0-9a-f]{64})")
KNOWN = re.compile(r"/v1/models/([\w.-]+/[\w.-]+)(?:/versions/([0-9a-f]{64}))?")
ONE = re.compile(r"/v1/predictions/(\w+)(/cancel)?")


class ReplicateServer(CallingStandIn[Prediction]):
    """Speaks Replicate's API; a prediction is billed unless it ended before it started."""

    table = FAULTS

    @cached_property
    def webhook_key(self) -> str:
        """The secret that signs its callbacks."""
        return new_key()

    @property
    def predictions(self) -> list[Prediction]:
        """Every prediction so far, in order."""
        return self.made

    def worded(self, generation: Prediction, webhook: str) -> Callback:
        """The callback about a prediction: the object in its present state."""
        return signed(webhook, generation.shown(self.url), self.webhook_key)

    def create(self, model: str, version: str, order: dict[str, Any]) -> Answer:
        """The answer to a parsed order: its prediction, unless the order is invalid."""
        given, known = order.get("input"), MODELS.get(model)
        if known is None:
            return not_found() if version == "hidden" else unknown_version()
        if not isinstance(given, dict):
            return invalid([("", "input is required")])
        if wrong := errors_in(known.fields, given):
            return invalid(wrong)
        return self.generate(
            lambda: self._make(model, version, given, order.get("webhook")),
            lambda made: says(201, made.shown(self.url)),
            prompt=_prompt(given),
            model=model,
        )

    def route(self, request: Handler, body: bytes, exchange: Exchange) -> Answer:
        """The answer by method and path."""
        if request.command == "POST" and not request.path.endswith("/cancel"):
            return self._ordered(request.path, body, exchange)
        if request.path == "/v1/webhooks/default/secret":
            return says(200, {"key": self.webhook_key})
        if request.path == "/v1/account":
            return says(200, {"type": "organization", "username": "longplay", "name": "Longplay"})
        if known := KNOWN.fullmatch(request.path):
            return _description(known[1], known[2])
        one = ONE.fullmatch(request.path)
        if one is None:
            return not_found()
        operation = Operation.CANCEL if one[2] and request.command == "POST" else Operation.POLL
        return self._about(one[1], operation)

    def _ordered(self, path: str, body: bytes, exchange: Exchange) -> Answer:
        try:
            order = json.loads(body)
        except ValueError as error:
            return invalid([("", str(error))])
        exchange.parameters = without_images(order)
        if official := OFFICIAL.fullmatch(path):
            exchange.model = official[1]
            return self.create(official[1], "hidden", order)
        versioned = VERSIONED.fullmatch(str(order.get("version")))
        if path != "/v1/predictions" or versioned is None:
            return unknown_version() if path == "/v1/predictions" else not_found()
        exchange.model = versioned[1]
        return self.create(versioned[1], versioned[2], order)

    def _make(self, model: str, version: str, given: dict[str, Any], webhook: str | None) -> Prediction:
        outcome, files = self.faults.outcome(prompt=_prompt(given), model=model) or Outcome(), []
        try:
            files = [render_file(MODELS[model].asked(given), quick=self.quick)]
        except Refused as refused:
            outcome = Outcome(status="failed", error=str(refused.answer.body))
        return Prediction(
            model=model,
            version=version,
            input=given,
            prompt=_prompt(given),
            webhook=webhook,
            outcome=outcome,
            files=files,
            single=MODELS[model].single,
        )

    def _about(self, prediction_id: str, operation: Operation) -> Answer:
        found = self.find(prediction_id)
        return self.reply(operation, lambda: self._shown(found, operation), found)

    def _shown(self, found: Prediction | None, operation: Operation) -> Answer:
        """A prediction after it was polled or canceled; one that has ended does not change."""
        if found is None:
            return not_found()
        found.cancel() if operation is Operation.CANCEL else self.poll(found)
        return says(200, found.shown(self.url))


def _description(model: str, version: str | None) -> Answer:
    """A model or a version, in the few fields that show that it exists."""
    if model not in MODELS:
        return not_found()
    owner, _, name = model.partition("/")
    return says(200, {"id": version} if version else {"owner": owner, "name": name, "visibility": "public"})


def _prompt(given: dict[str, Any]) -> str:
    return str(given.get("prompt", ""))
