"""The stand-in for fal: a real HTTP server on loopback, in a thread of its own."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.stand_ins.fal.callbacks import callback_about
from local.stand_ins.fal.faults import MISHAPS, detail, invalid, no_such_app, no_such_request
from local.stand_ins.fal.models import APPS, MODELS, Model, app_of
from local.stand_ins.fal.requests import Fate, Request
from local.stand_ins.framework.answers import Answer, Refused, says
from local.stand_ins.framework.callback import Callback
from local.stand_ins.framework.faults import Stage
from local.stand_ins.framework.files import File
from local.stand_ins.framework.listener import Handler
from local.stand_ins.framework.memory import Exchange, without_images
from local.stand_ins.framework.queued import CallingStandIn
from local.stand_ins.framework.schema import faults_in
from local.stand_ins.pipelines.hosted import render_file

ONE = re.compile(r"/([\w.-]+/[\w.-]+)/requests/([\w-]+)(/status|/cancel)?")
PLATFORM = ("/v1/models", "/v1/models/pricing")


class FalServer(CallingStandIn[Request, Fate]):
    """Speaks fal's queue API; not billed are fal's own faults, and what was canceled before it began."""

    scheme = "Key"
    mishaps = MISHAPS

    @property
    def queue(self) -> list[Request]:
        """Every request made so far, in order."""
        return self.made

    def told(self, generation: Request, webhook: str) -> Callback:
        """The callback about a request as it will have ended."""
        return callback_about(generation, webhook, url=self.url)

    def create(self, endpoint: str, given: dict[str, Any], *, webhook: str | None, deadline: str | None) -> Answer:
        """Queue a request; what is wrong with its input is found out later, by the model."""
        if app_of(endpoint) not in APPS:
            return no_such_app(app_of(endpoint))
        made = self.generate(_prompt(given), lambda: self._make(endpoint, given, webhook, deadline))
        return says(200, made.shown(self.url))

    def route(self, asked: Handler, body: bytes, exchange: Exchange) -> Answer:
        """What is asked for, by method and path."""
        url = urlsplit(asked.path)
        if url.path in PLATFORM and asked.command == "GET":
            return _listed(url.path, parse_qs(url.query)["endpoint_id"][0])
        if one := ONE.fullmatch(url.path):
            stage = _STAGES.get((asked.command, one[3]))
            return self._about(one[1], one[2], stage) if stage else asked.no_route()
        if asked.command != "POST":
            return asked.no_route()
        try:
            given = json.loads(body)
        except ValueError as error:
            return detail(422, str(error))
        exchange.model, exchange.parameters = url.path.strip("/"), without_images(given)
        webhook = parse_qs(url.query).get("fal_webhook", [None])[0]
        return self.create(exchange.model, given, webhook=webhook, deadline=asked.headers.get("X-Fal-Request-Timeout"))

    def _make(self, endpoint: str, given: dict[str, Any], webhook: str | None, deadline: str | None) -> Request:
        fate, files = self._generate(endpoint, given)
        model = MODELS.get(endpoint)
        return Request(
            app=app_of(endpoint),
            endpoint=endpoint,
            input=given,
            prompt=_prompt(given),
            webhook=webhook,
            fate=fate,
            files=files,
            place=model.place if model else "",
            deadline=deadline,
        )

    def _generate(self, endpoint: str, given: dict[str, Any]) -> tuple[Fate, list[File]]:
        """What will become of a request, and its file if it brings one."""
        model = MODELS.get(endpoint)
        if model is None:
            said = f"Path /{endpoint.removeprefix(app_of(endpoint)).strip('/')} not found"
            return Fate(status=404, body={"detail": said}, error=said), []
        if wrong := faults_in(model.fields, given):
            return invalid(wrong), []
        return self._rendered(model, given)

    def _rendered(self, model: Model, given: dict[str, Any]) -> tuple[Fate, list[File]]:
        try:
            return self.faults.fate(_prompt(given)) or Fate(), [render_file(model.asked(given), quick=self.quick)]
        except Refused as refused:
            return invalid([("image_url", str(refused.answer.body))]), []

    def _about(self, app: str, request_id: str, stage: Stage) -> Answer:
        """What is asked about one request."""
        found = self.find(request_id, stage)
        if found is None or found.app != app:
            return no_such_request()
        if stage is Stage.POLL:
            return says(200 if self.poll(found).over else 202, found.shown(self.url))
        return self._result(found) if stage is Stage.RESULT else _canceled(found)

    def _result(self, found: Request) -> Answer:
        if not found.over:
            return detail(400, "Request is still in progress")
        if found.fate.erased:
            return no_such_request()
        return says(found.fate.status, found.result(self.url), **found.fate.headers)


_STAGES = {("GET", "/status"): Stage.POLL, ("GET", None): Stage.RESULT, ("PUT", "/cancel"): Stage.CANCEL}


def _canceled(found: Request) -> Answer:
    """Taken out of the queue, or stopped; one that is over stays as it is."""
    if not found.cancel():
        return says(400, {"status": "ALREADY_COMPLETED"})
    return says(202, {"status": "CANCELLATION_REQUESTED"})


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
