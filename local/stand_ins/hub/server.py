"""The stand-in for Hugging Face's Hub and router: a real HTTP server on loopback, in a thread of its own."""

import copy
import json
import re
from typing import Any
from urllib.parse import unquote

from local.stand_ins.framework.answers import Answer, says
from local.stand_ins.framework.faults import Stage
from local.stand_ins.framework.listener import Handler
from local.stand_ins.framework.memory import Exchange, without_images
from local.stand_ins.framework.queued import QueuedStandIn
from local.stand_ins.hub.faults import MISHAPS, not_supported
from local.stand_ins.hub.generations import Fate, Generation
from local.stand_ins.hub.orders import asked as ordered
from local.stand_ins.hub.partners import PARTNERS, Way, Words, fal_result
from local.stand_ins.hub.served import SERVED
from local.stand_ins.pipelines.asked import Task
from local.stand_ins.pipelines.hosted import render_file

MAPPING = re.compile(r"/api/models/([^?]+)\?expand(?:\[\]|%5B%5D)?=inferenceProviderMapping")
ENDPOINTS = re.compile(r"/v2/endpoint/([\w-]+)")
PARTNER = re.compile(r"/([\w-]+)(/.*)")
NOT_FOUND = {"error": "Repository not found"}


class HubServer(QueuedStandIn[Generation, Fate]):
    """The Hub, its router and its partners' result files, all in one.

    `mapping` is what the Hub answers, by model, and may be changed. `granted` is what a fine-grained token may do, and
    `endpoints` are the Inference Endpoints by namespace.
    """

    mishaps = MISHAPS

    def __init__(
        self, *, port: int = 0, quick: bool = False, polls: int = 1, seconds: float = 0.0, token: str | None = None
    ) -> None:
        super().__init__(port=port, quick=quick, polls=polls, seconds=seconds, token=token)
        self.mapping: dict[str, Any] = copy.deepcopy(dict(SERVED))
        self.granted = ["inference.serverless.write", "inference.endpoints.infer.write"]
        self.endpoints: dict[str, list[dict[str, Any]]] = {}

    def clear(self) -> None:
        """Forget faults, requests and generations, and what was changed in the mapping."""
        super().clear()
        self.mapping = copy.deepcopy(dict(SERVED))

    def route(self, asked: Handler, body: bytes, exchange: Exchange) -> Answer:
        """What is asked for, by method and path."""
        if model := MAPPING.fullmatch(asked.path):
            return self._served(unquote(model[1]))
        if asked.path == "/api/whoami-v2":
            return self._whoami()
        if listed := ENDPOINTS.fullmatch(asked.path):
            return says(200, {"items": self.endpoints.get(listed[1], [])})
        routed = PARTNER.fullmatch(asked.path)
        if routed is None or routed[1] not in PARTNERS:
            return asked.no_route()
        if asked.command != "POST":
            return self._show(routed[1], routed[2]) or asked.no_route()
        return self._ordered(routed[1], routed[2], body, exchange) or asked.no_route()

    def _served(self, model: str) -> Answer:
        """What the Hub says of a model."""
        self.pass_through(Stage.MAPPING)
        if model not in self.mapping:
            return says(404, NOT_FOUND)
        return says(200, {"_id": "1", "id": model, "inferenceProviderMapping": self.mapping[model]})

    def _whoami(self) -> Answer:
        """Whose the token is: a fine-grained one, of somebody in one organization."""
        granted = {"canReadGatedRepos": False, "global": [], "scoped": [{"permissions": self.granted}]}
        token = {"displayName": "longplay", "role": "fineGrained", "fineGrained": granted}
        account = {"type": "user", "name": "longplay", "orgs": [{"type": "org", "name": "band"}]}
        return says(200, {**account, "auth": {"type": "access_token", "accessToken": token}})

    def _ordered(self, partner: str, path: str, body: bytes, exchange: Exchange) -> Answer | None:
        ways = ((way, found) for way in PARTNERS[partner] if (found := way.ordered.fullmatch(path)))
        way, found = next(ways, (None, None))
        if way is None or found is None:
            return None
        order = _parsed(body)
        if order is None:
            return says(400, {"error": "The request body is not a JSON object"})
        exchange.parameters = without_images(order)
        exchange.model = found.groupdict().get("model") or order.get("model") or order.get("version", "")
        return self._order(partner, way, str(exchange.model), order.get("input", order))

    def _order(self, partner: str, way: Way, model: str, order: dict[str, Any]) -> Answer:
        """Make a generation of an order, if nothing is wrong with it."""
        task = _task(partner, model)
        if task is None:
            return not_supported(partner)
        made = self.generate(str(order.get("prompt", "")), lambda: self._make(way, task, model, order))
        return way.taken(made, self.url)

    def _make(self, way: Way, task: Task, model: str, order: dict[str, Any]) -> Generation:
        return Generation(
            model=model,
            prompt=str(order.get("prompt", "")),
            files=[render_file(ordered(order, task), quick=self.quick)],
            fate=self.faults.fate(str(order.get("prompt", ""))) or Fate(),
            done=way.at_once or (way.holds and self.polls == 0),
        )

    def _show(self, partner: str, path: str) -> Answer | None:
        """A generation, one poll further, in a partner's words."""
        reads = (read for way in PARTNERS[partner] for read in way.reads)
        shown = ((found["id"], words) for pattern, words in reads if (found := pattern.fullmatch(path)))
        generation_id, words = next(shown, (None, None))
        return self._about(generation_id, words) if generation_id and words else None

    def _about(self, generation_id: str, words: Words) -> Answer:
        found = self.find(generation_id, Stage.RESULT if words is fal_result else Stage.POLL)
        if found is None or found.fate.erased:
            return says(404, {"detail": "Not Found"})
        return words(self.poll(found), self.url)


def _task(partner: str, model: str) -> Task | None:
    entries = (SERVED[name].get(partner) for name in SERVED)
    found = next((entry for entry in entries if entry and model and model in entry["providerId"]), None)
    return Task(found["task"]) if found else None


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        order = json.loads(body)
    except ValueError:
        return None
    return order if isinstance(order, dict) else None
