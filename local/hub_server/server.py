"""The stand-in for Hugging Face's Hub and router: a real HTTP server on loopback, in a thread of its own."""

import copy
import json
import re
import threading
from email.message import Message
from typing import Any, cast
from urllib.parse import unquote

from local.hub_server.faults import FATES, MADE, REFUSALS, SLOW, Fault, Stage, not_supported, unauthorized
from local.hub_server.generations import Fate, Generation
from local.hub_server.orders import asked
from local.hub_server.partners import PARTNERS, Way, Words, fal_result
from local.hub_server.served import SERVED
from local.model_server.hosted import render
from local.model_server.wire import Task
from local.stand_in.answers import Answer, Refused, says
from local.stand_in.files import file_answer
from local.stand_in.listener import Handler, Listener
from local.stand_in.memory import Exchange, without_images
from local.stand_in.rules import Rules
from local.stand_in.server import StandIn

MAPPING = re.compile(r"/api/models/([^?]+)\?expand(?:\[\]|%5B%5D)?=inferenceProviderMapping")
ENDPOINTS = re.compile(r"/v2/endpoint/([\w-]+)")
DELIVERY = re.compile(r"/delivery/(\w+)/[\w.-]+")
PARTNER = re.compile(r"/([\w-]+)(/.*)")
NOT_FOUND = {"error": "Repository not found"}


class HubServer(StandIn):
    """The Hub, its router and its partners' result files, all at `url` from `start()` (or `with`) until `close()`.

    `mapping` is what the Hub answers, by model, and may be changed. A generation that is asked for is over once it was
    polled `polls` times and is `seconds` old, whichever comes last; `finish` ends one at once. `quick` renders the
    least that is valid, `token` is the bearer token it insists on. `granted` is what a fine-grained token may do, and
    `endpoints` are the Inference Endpoints by namespace.
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
        self.faults = Rules[Fault]()
        self.mapping: dict[str, Any] = copy.deepcopy(dict(SERVED))
        self.granted = ["inference.serverless.write", "inference.endpoints.infer.write"]
        self.endpoints: dict[str, list[dict[str, Any]]] = {}
        self._made: dict[str, Generation] = {}
        self._lock = threading.Lock()

    @property
    def made(self) -> list[Generation]:
        """Every generation made so far, in order."""
        with self._lock:
            return list(self._made.values())

    @property
    def generations(self) -> int:
        """How many generations would be billed."""
        return sum(generation.fate.billed for generation in self.made)

    def fault(self, fault: str, **details: Any) -> None:
        """Let something go wrong from now on; the details are Fault's fields."""
        self.faults.add(Fault(fault=fault, **details))

    def finish(self, generation_id: str) -> None:
        """End a generation now."""
        self._made[generation_id].over = True

    def forget(self, generation_id: str) -> None:
        """A generation, as if its result had expired."""
        with self._lock:
            del self._made[generation_id]

    def clear(self) -> None:
        """Forget faults, requests and generations, and what was changed in the mapping."""
        self.faults.clear()
        self.memory.clear()
        self.mapping = copy.deepcopy(dict(SERVED))
        with self._lock:
            self._made.clear()

    def served(self, model: str) -> Answer:
        """What the Hub says of a model."""
        if refusal := self._refusal(self._fault_at(Stage.MAPPING)):
            return refusal
        if model not in self.mapping:
            return says(404, NOT_FOUND)
        return says(200, {"_id": "1", "id": model, "inferenceProviderMapping": self.mapping[model]})

    def whoami(self) -> Answer:
        """Whose the token is: a fine-grained one, of somebody in one organization."""
        granted = {"canReadGatedRepos": False, "global": [], "scoped": [{"permissions": self.granted}]}
        token = {"displayName": "longplay", "role": "fineGrained", "fineGrained": granted}
        account = {"type": "user", "name": "longplay", "orgs": [{"type": "org", "name": "band"}]}
        return says(200, {**account, "auth": {"type": "access_token", "accessToken": token}})

    def order(self, partner: str, way: Way, model: str, order: dict[str, Any]) -> Answer:
        """Make a generation of an order, if nothing is wrong with it."""
        task = self._task(partner, model)
        if task is None:
            return not_supported(partner)
        fault = self._fault_at(Stage.ORDER)
        if fault and fault.fault not in MADE:
            return REFUSALS[fault.fault](fault)
        generation = Generation(model=model, file=render(asked(order, task), quick=self.quick), fate=self._fate())
        generation.over = way.at_once or (way.holds and self.polls == 0)
        with self._lock:
            self._made[generation.id] = generation
        return self._refusal(fault) or way.taken(generation, self.url)

    def show(self, generation_id: str, words: Words) -> Answer:
        """A generation, one poll further."""
        stage = Stage.RESULT if words is fal_result else Stage.POLL
        if refusal := self._refusal(self._fault_at(stage)):
            return refusal
        found = self._made.get(generation_id)
        if found is None:
            return says(404, {"detail": "Not Found"})
        found.polled(polls=self.polls, seconds=self.seconds)
        return words(found, self.url)

    def deliver(self, generation_id: str, headers: Message) -> Answer:
        """A result's file, to anybody who knows its address; `headers` are the request's."""
        found = self._made.get(generation_id)
        if refusal := self._refusal(self._fault_at(Stage.FILE)):
            return refusal
        if found is None:
            return says(404, {"detail": "Not Found"})
        return file_answer(found.file.content, found.file.content_type, headers)

    def _fault_at(self, stage: Stage) -> Fault | None:
        return self.faults.take(lambda rule: rule.fault not in FATES and rule.at == stage)

    def _fate(self) -> Fate:
        fault = self.faults.take(lambda rule: rule.fault in FATES)
        return FATES[fault.fault] if fault else Fate()

    def _task(self, partner: str, model: str) -> Task | None:
        entries = (SERVED[name].get(partner) for name in SERVED)
        found = next((entry for entry in entries if entry and model and model in entry["providerId"]), None)
        return Task(found["task"]) if found else None

    def _refusal(self, fault: Fault | None) -> Answer | None:
        if fault is None:
            return None
        if fault.fault == SLOW:
            self.closed.wait(fault.seconds)
            return None
        return REFUSALS[fault.fault](fault)


class _Handler(Handler):
    @property
    def owner(self) -> HubServer:
        return cast(HubServer, cast(Listener, self.server).owner)

    def respond(self) -> None:
        exchange = self.owner.memory.open(self.command, self.path, dict(self.headers.items()))
        answer = self._answer(self.body(), exchange)
        exchange.status = None if answer.raw else answer.status
        exchange.lost = not self.send(answer, {})

    def _answer(self, body: bytes, exchange: Exchange) -> Answer:
        if file := DELIVERY.fullmatch(self.path):
            return self.owner.deliver(file[1], self.headers)
        if self.owner.token and self.headers.get("Authorization") != f"Bearer {self.owner.token}":
            return unauthorized()
        if model := MAPPING.fullmatch(self.path):
            return self.owner.served(unquote(model[1]))
        if self.path == "/api/whoami-v2":
            return self.owner.whoami()
        if listed := ENDPOINTS.fullmatch(self.path):
            return says(200, {"items": self.owner.endpoints.get(listed[1], [])})
        routed = PARTNER.fullmatch(self.path)
        if routed is None or routed[1] not in PARTNERS:
            return self.no_route()
        if self.command == "POST":
            return self._ordered(routed[1], routed[2], body, exchange)
        return self._asked(routed[1], routed[2])

    def _ordered(self, partner: str, path: str, body: bytes, exchange: Exchange) -> Answer:
        ways = ((way, found) for way in PARTNERS[partner] if (found := way.ordered.fullmatch(path)))
        way, found = next(ways, (None, None))
        if way is None or found is None:
            return self.no_route()
        order = _order(body)
        if order is None:
            return says(400, {"error": "The request body is not a JSON object"})
        exchange.parameters = without_images(order)
        exchange.model = found.groupdict().get("model") or order.get("model") or order.get("version", "")
        try:
            return self.owner.order(partner, way, str(exchange.model), order.get("input", order))
        except Refused as refused:
            return refused.answer

    def _asked(self, partner: str, path: str) -> Answer:
        reads = (read for way in PARTNERS[partner] for read in way.reads)
        shown = ((found["id"], words) for pattern, words in reads if (found := pattern.fullmatch(path)))
        generation_id, words = next(shown, (None, None))
        return self.owner.show(generation_id, words) if generation_id and words else self.no_route()


def _order(body: bytes) -> dict[str, Any] | None:
    try:
        order = json.loads(body)
    except ValueError:
        return None
    return order if isinstance(order, dict) else None
