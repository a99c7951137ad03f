"""The stand-in for fal."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.stand_ins.fal.callbacks import callback_about
from local.stand_ins.fal.faults import FAULTS, detail, invalid, no_such_app, no_such_request
from local.stand_ins.fal.models import APPS, MODELS, Model, app_of
from local.stand_ins.fal.requests import Outcome, Request
from local.stand_ins.framework.answers import Answer, Refused, says
from local.stand_ins.framework.callback import Callback
from local.stand_ins.framework.faults import Operation
from local.stand_ins.framework.files import File
from local.stand_ins.framework.listener import Handler
from local.stand_ins.framework.memory import Exchange, without_images
from local.stand_ins.framework.queued import CallingStandIn
from local.stand_ins.framework.schema import errors_in
from local.stand_ins.pipelines.hosted import render_file

ONE = re.compile(r"/([\w.-]+/[\w.-]+)/requests/([\w-]+)(/status|/cancel)?")
PLATFORM = ("/v1/models", "/v1/models/pricing")


class FalServer(CallingStandIn[Request]):
    """Speaks fal's queue API; a request is billed unless fal itself failed, or it was canceled before it started."""

    scheme = "Key"
    table = FAULTS

    @property
    def queue(self) -> list[Request]:
        """Every request so far, in order."""
        return self.made

    def worded(self, generation: Request, webhook: str) -> Callback:
        """The callback about a request, with its outcome."""
        return callback_about(generation, webhook, url=self.url)

    def create(self, endpoint: str, given: dict[str, Any], *, webhook: str | None, deadline: str | None) -> Answer:
        """The answer to an order, which is queued; the model checks its input later."""
        if app_of(endpoint) not in APPS:
            return no_such_app(app_of(endpoint))
        return self.generate(
            lambda: self._make(endpoint, given, webhook, deadline),
            lambda made: says(200, made.shown(self.url)),
            prompt=_prompt(given),
            model=endpoint,
        )

    def route(self, request: Handler, body: bytes, exchange: Exchange) -> Answer:
        """The answer by method and path."""
        url = urlsplit(request.path)
        if url.path in PLATFORM and request.command == "GET":
            return _listed(url.path, parse_qs(url.query)["endpoint_id"][0])
        if one := ONE.fullmatch(url.path):
            operation = _OPERATIONS.get((request.command, one[3]))
            return self._about(one[1], one[2], operation) if operation else request.no_route()
        if request.command != "POST":
            return request.no_route()
        try:
            given = json.loads(body)
        except ValueError as error:
            return detail(422, str(error))
        exchange.model, exchange.parameters = url.path.strip("/"), without_images(given)
        webhook = parse_qs(url.query).get("fal_webhook", [None])[0]
        return self.create(
            exchange.model, given, webhook=webhook, deadline=request.headers.get("X-Fal-Request-Timeout")
        )

    def _make(self, endpoint: str, given: dict[str, Any], webhook: str | None, deadline: str | None) -> Request:
        outcome, files = self._generate(endpoint, given)
        model = MODELS.get(endpoint)
        return Request(
            app=app_of(endpoint),
            model=endpoint,
            input=given,
            prompt=_prompt(given),
            webhook=webhook,
            outcome=outcome,
            files=files,
            place=model.place if model else "",
            deadline=deadline,
        )

    def _generate(self, endpoint: str, given: dict[str, Any]) -> tuple[Outcome, list[File]]:
        """The outcome of a request, and its file if it has one."""
        model = MODELS.get(endpoint)
        if model is None:
            error = f"Path /{endpoint.removeprefix(app_of(endpoint)).strip('/')} not found"
            return Outcome(status=404, body={"detail": error}, error=error), []
        if wrong := errors_in(model.fields, given):
            return invalid(wrong), []
        return self._rendered(endpoint, model, given)

    def _rendered(self, endpoint: str, model: Model, given: dict[str, Any]) -> tuple[Outcome, list[File]]:
        try:
            outcome = self.faults.outcome(prompt=_prompt(given), model=endpoint) or Outcome()
            return outcome, [render_file(model.asked(given), quick=self.quick)]
        except Refused as refused:
            return invalid([("image_url", str(refused.answer.body))]), []

    def _about(self, app: str, request_id: str, operation: Operation) -> Answer:
        found = self.find(request_id)
        return self.reply(operation, lambda: self._shown(app, found, operation), found)

    def _shown(self, app: str, found: Request | None, operation: Operation) -> Answer:
        """A request after it was polled or canceled, or its result."""
        if found is None or found.app != app:
            return no_such_request()
        if operation is Operation.POLL:
            return says(200 if self.poll(found).over else 202, found.shown(self.url))
        return self._result(found) if operation is Operation.RESULT else _canceled(found)

    def _result(self, found: Request) -> Answer:
        if not found.over:
            return detail(400, "Request is still in progress")
        if found.outcome.erased:
            return no_such_request()
        return says(found.outcome.status, found.result(self.url), **found.outcome.headers)


_OPERATIONS = {
    ("GET", "/status"): Operation.POLL,
    ("GET", None): Operation.RESULT,
    ("PUT", "/cancel"): Operation.CANCEL,
}


def _canceled(found: Request) -> Answer:
    """The answer after canceling a request; one that has ended does not change."""
    if not found.cancel():
        return says(400, {"status": "ALREADY_COMPLETED"})
    return says(202, {"status": "CANCELLATION_REQUESTED"})


def _prompt(given: dict[str, Any]) -> str:
    return str(given.get("prompt", ""))


def _listed(path: str, endpoint: str) -> Answer:
    """An endpoint or its price, as fal's platform API lists it (docs.fal.ai/platform-apis/v1/models, 2026-11)."""
    if path == "/v1/models":
        known = [{"endpoint_id": endpoint, "metadata": {"status": "active"}}] if endpoint in MODELS else []
        return says(200, {"models": known, "has_more": False, "next_cursor": None})
    if endpoint not in MODELS:
        return says(404, {"error": {"type": "not_found", "message": "Endpoint not found"}})
    price = {"endpoint_id": endpoint, "unit_price": 0.01, "unit": "image", "currency": "USD"}
    return says(200, {"prices": [price], "has_more": False, "next_cursor": None})
