"""The stand-in for Hugging Face's Hub and router."""

import copy
import json
import re
from typing import Any
from urllib.parse import unquote

from local.stand_ins.framework.answers import Answer, says
from local.stand_ins.framework.faults import Operation
from local.stand_ins.framework.listener import Handler
from local.stand_ins.framework.memory import Exchange, without_images
from local.stand_ins.framework.queued import QueuedStandIn
from local.stand_ins.hub.faults import FAULTS, not_supported
from local.stand_ins.hub.generations import Generation, Outcome
from local.stand_ins.hub.orders import asked_of
from local.stand_ins.hub.partners import PARTNERS, PartnerRoute, Words, fal_result
from local.stand_ins.hub.served import SERVED
from local.stand_ins.pipelines.asked import Task
from local.stand_ins.pipelines.hosted import render_file

MAPPING = re.compile(r"/api/models/([^?]+)\?expand(?:\[\]|%5B%5D)?=inferenceProviderMapping")
ENDPOINTS = re.compile(r"/v2/endpoint/([\w-]+)")
PARTNER = re.compile(r"/([\w-]+)(/.*)")
NOT_FOUND = {"error": "Repository not found"}


class HubServer(QueuedStandIn[Generation]):
    """The Hub, its router and the partners' result files, in one server.

    `mapping` is the Hub's answer by model; tests may change it. `granted` are the permissions of a fine-grained token.
    `endpoints` are the Inference Endpoints by namespace.
    """

    table = FAULTS

    def __init__(
        self, *, port: int = 0, quick: bool = False, polls: int = 1, seconds: float = 0.0, token: str | None = None
    ) -> None:
        super().__init__(port=port, quick=quick, polls=polls, seconds=seconds, token=token)
        self.mapping: dict[str, Any] = copy.deepcopy(dict(SERVED))
        self.granted = ["inference.serverless.write", "inference.endpoints.infer.write"]
        self.endpoints: dict[str, list[dict[str, Any]]] = {}

    def clear(self) -> None:
        """Forget faults, requests and generations, and restore the mapping."""
        super().clear()
        self.mapping = copy.deepcopy(dict(SERVED))

    def route(self, request: Handler, body: bytes, exchange: Exchange) -> Answer:
        """The answer by method and path."""
        if model := MAPPING.fullmatch(request.path):
            return self.reply(Operation.MAPPING, lambda: self._served(unquote(model[1])))
        if request.path == "/api/whoami-v2":
            return self._whoami()
        if listed := ENDPOINTS.fullmatch(request.path):
            return says(200, {"items": self.endpoints.get(listed[1], [])})
        routed = PARTNER.fullmatch(request.path)
        if routed is None or routed[1] not in PARTNERS:
            return request.no_route()
        if request.command != "POST":
            return self._show(routed[1], routed[2]) or request.no_route()
        return self._ordered(routed[1], routed[2], body, exchange) or request.no_route()

    def _served(self, model: str) -> Answer:
        """The Hub's answer about a model."""
        if model not in self.mapping:
            return says(404, NOT_FOUND)
        return says(200, {"_id": "1", "id": model, "inferenceProviderMapping": self.mapping[model]})

    def _whoami(self) -> Answer:
        """The token's account: the token is fine-grained, and its user is in one organization."""
        granted = {"canReadGatedRepos": False, "global": [], "scoped": [{"permissions": self.granted}]}
        token = {"displayName": "longplay", "role": "fineGrained", "fineGrained": granted}
        account = {"type": "user", "name": "longplay", "orgs": [{"type": "org", "name": "band"}]}
        return says(200, {**account, "auth": {"type": "access_token", "accessToken": token}})

    def _ordered(self, partner: str, path: str, body: bytes, exchange: Exchange) -> Answer | None:
        routes = ((route, found) for route in PARTNERS[partner] if (found := route.orders.fullmatch(path)))
        route, found = next(routes, (None, None))
        if route is None or found is None:
            return None
        order = _parsed(body)
        if order is None:
            return says(400, {"error": "The request body is not a JSON object"})
        exchange.parameters = without_images(order)
        exchange.model = found.groupdict().get("model") or order.get("model") or order.get("version", "")
        return self._order(partner, route, str(exchange.model), order.get("input", order))

    def _order(self, partner: str, route: PartnerRoute, model: str, order: dict[str, Any]) -> Answer:
        """The answer to an order: its generation, unless the partner does not serve the model."""
        task = _task(partner, model)
        if task is None:
            return not_supported(partner)
        return self.generate(
            lambda: self._make(route, task, model, order),
            lambda made: route.accepts(made, self.url),
            prompt=_prompt(order),
            model=model,
        )

    def _make(self, route: PartnerRoute, task: Task, model: str, order: dict[str, Any]) -> Generation:
        return Generation(
            model=model,
            prompt=_prompt(order),
            files=[render_file(asked_of(order, task), quick=self.quick)],
            outcome=self.faults.outcome(prompt=_prompt(order), model=model) or Outcome(),
            done=route.at_once or (route.waits and self.polls == 0),
        )

    def _show(self, partner: str, path: str) -> Answer | None:
        """The answer about a generation, None if no path fits."""
        reads = (read for route in PARTNERS[partner] for read in route.reads)
        shown = ((found["id"], words) for pattern, words in reads if (found := pattern.fullmatch(path)))
        generation_id, words = next(shown, (None, None))
        return self._about(generation_id, words) if generation_id and words else None

    def _about(self, generation_id: str, words: Words) -> Answer:
        found = self.find(generation_id)
        operation = Operation.RESULT if words is fal_result else Operation.POLL
        return self.reply(operation, lambda: self._worded(found, words), found)

    def _worded(self, found: Generation | None, words: Words) -> Answer:
        """A generation, one poll further, in a partner's words."""
        if found is None or found.outcome.erased:
            return says(404, {"detail": "Not Found"})
        return words(self.poll(found), self.url)


def _task(partner: str, model: str) -> Task | None:
    entries = (SERVED[name].get(partner) for name in SERVED)
    found = next((entry for entry in entries if entry and model and model in entry["providerId"]), None)
    return Task(found["task"]) if found else None


def _prompt(order: dict[str, Any]) -> str:
    return str(order.get("prompt", ""))


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        order = json.loads(body)
    except ValueError:
        return None
    return order if isinstance(order, dict) else None
