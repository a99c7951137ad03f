"""The stand-in for Replicate: a real HTTP server on loopback, in a thread of its own."""

import json
import re
from functools import cached_property
from typing import Any

from local.stand_ins.framework.answers import Answer, Refused, says
from local.stand_ins.framework.callback import Callback
from local.stand_ins.framework.faults import Stage
from local.stand_ins.framework.listener import Handler
from local.stand_ins.framework.memory import Exchange, without_images
from local.stand_ins.framework.queued import CallingStandIn
from local.stand_ins.framework.schema import faults_in
from local.stand_ins.pipelines.hosted import render_file
from local.stand_ins.replicate.callbacks import new_key, signed
from local.stand_ins.replicate.faults import MISHAPS, invalid, not_found, unknown_version
from local.stand_ins.replicate.models import MODELS
from local.stand_ins.replicate.predictions import Fate, Prediction

OFFICIAL = re.compile(r"/v1/models/([\w.-]+/[\w.-]+)/predictions")
VERSIONED = re.compile(r"([\w.-]+/[\w.-]+):([0-9a-f]{64})")
KNOWN = re.compile(r"/v1/models/([\w.-]+/[\w.-]+)(?:/versions/([0-9a-f]{64}))?")
ONE = re.compile(r"/v1/predictions/(\w+)(/cancel)?")


class ReplicateServer(CallingStandIn[Prediction, Fate]):
    """Speaks Replicate's API; a prediction would be billed unless it was given up before it started."""

    mishaps = MISHAPS

    @cached_property
    def webhook_key(self) -> str:
        """What its callbacks are signed with."""
        return new_key()

    @property
    def predictions(self) -> list[Prediction]:
        """Every prediction made so far, in order."""
        return self.made

    def told(self, generation: Prediction, webhook: str) -> Callback:
        """The callback about a prediction: the object as it now is."""
        return signed(webhook, generation.shown(self.url), self.webhook_key)

    def create(self, model: str, version: str, order: dict[str, Any]) -> Answer:
        """Make a prediction of a parsed order, if nothing is wrong with it."""
        given, known = order.get("input"), MODELS.get(model)
        if known is None:
            return not_found() if version == "hidden" else unknown_version()
        if not isinstance(given, dict):
            return invalid([("", "input is required")])
        if wrong := faults_in(known.fields, given):
            return invalid(wrong)
        made = self.generate(_prompt(given), lambda: self._make(model, version, given, order.get("webhook")))
        return says(201, made.shown(self.url))

    def route(self, asked: Handler, body: bytes, exchange: Exchange) -> Answer:
        """What is asked for, by method and path."""
        if asked.command == "POST" and not asked.path.endswith("/cancel"):
            return self._ordered(asked.path, body, exchange)
        if asked.path == "/v1/webhooks/default/secret":
            return says(200, {"key": self.webhook_key})
        if asked.path == "/v1/account":
            return says(200, {"type": "organization", "username": "longplay", "name": "Longplay"})
        if known := KNOWN.fullmatch(asked.path):
            return _description(known[1], known[2])
        one = ONE.fullmatch(asked.path)
        if one is None:
            return not_found()
        stage = Stage.CANCEL if one[2] and asked.command == "POST" else Stage.POLL
        return self._about(one[1], stage)

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
        fate, files = self.faults.fate(_prompt(given)) or Fate(), []
        try:
            files = [render_file(MODELS[model].asked(given), quick=self.quick)]
        except Refused as refused:
            fate = Fate(status="failed", error=str(refused.answer.body))
        return Prediction(
            model=model,
            version=version,
            input=given,
            prompt=_prompt(given),
            webhook=webhook,
            fate=fate,
            files=files,
            single=MODELS[model].single,
        )

    def _about(self, prediction_id: str, stage: Stage) -> Answer:
        """A prediction, polled or canceled; one that is over stays as it is."""
        found = self.find(prediction_id, stage)
        if found is None:
            return not_found()
        found.cancel() if stage is Stage.CANCEL else self.poll(found)
        return says(200, found.shown(self.url))


def _description(model: str, version: str | None) -> Answer:
    """A model or a version of it, by as much as tells that it is there."""
    if model not in MODELS:
        return not_found()
    owner, _, name = model.partition("/")
    return says(200, {"id": version} if version else {"owner": owner, "name": name, "visibility": "public"})


def _prompt(given: dict[str, Any]) -> str:
    return str(given.get("prompt", ""))
