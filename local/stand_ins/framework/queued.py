"""Stand-ins that make generations and answer for them later: created, polled, canceled, downloaded, called back."""

import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Generic, Protocol, TypeVar

from local.stand_ins.framework.answers import Answer
from local.stand_ins.framework.callback import Callback
from local.stand_ins.framework.faults import Fault, Operation
from local.stand_ins.framework.files import file_answer
from local.stand_ins.framework.generations import Generation
from local.stand_ins.framework.listener import Handler
from local.stand_ins.framework.memory import Exchange
from local.stand_ins.framework.server import StandIn

_DELIVERY = re.compile(r"/delivery/([\w-]+)/([\w.-]+)")
_NO_FILE = Answer(status=404, content_type="text/plain", body=b"Not found")
_UNAUTHORIZED = Fault(fault="unauthorized")


class Made(Protocol):
    """A generation as the stand-in remembers it."""

    @property
    def id(self) -> str: ...

    @property
    def billed(self) -> bool: ...


M = TypeVar("M", bound=Made)
G = TypeVar("G", bound=Generation)


class MakingStandIn(StandIn, Generic[M]):
    """Keeps every generation it makes."""

    def __init__(self, port: int = 0) -> None:
        super().__init__(port)
        self._made: dict[str, M] = {}
        self._lock = threading.Lock()

    @property
    def made(self) -> list[M]:
        """Every generation so far, in order."""
        with self._lock:
            return list(self._made.values())

    @property
    def generations(self) -> int:
        """The number of them that would be billed."""
        return sum(generation.billed for generation in self.made)

    def clear(self) -> None:
        """Forget faults, requests and generations."""
        super().clear()
        with self._lock:
            self._made.clear()

    def generate(
        self, make: Callable[[], M], show: Callable[[M], Answer], *, prompt: str = "", model: str = ""
    ) -> Answer:
        """The answer to an order: its generation is made by `make` and worded by `show`, unless a fault meets it."""
        fault = self.faults.at(Operation.CREATE, prompt=prompt, model=model)
        made = cache(lambda: self._keep(make()))
        if self.faults.creates(fault):
            made()
        return self.faults.apply(fault, lambda: show(made()), model=model)

    def _keep(self, made: M) -> M:
        with self._lock:
            self._made[made.id] = made
        return made


class QueuedStandIn(MakingStandIn[G], ABC):
    """Speaks a provider's API; the files of results are on the same server.

    A generation ends once it has been polled `polls` times and is `seconds` old; `finish` ends it at once. `quick`
    renders the least that is valid media. `token`, if given, is required of callers, under the authorization `scheme`.
    """

    scheme = "Bearer"

    def __init__(
        self, *, port: int = 0, quick: bool = False, polls: int = 1, seconds: float = 0.0, token: str | None = None
    ) -> None:
        super().__init__(port)
        self.quick, self.polls, self.seconds, self.token = quick, polls, seconds, token

    @abstractmethod
    def route(self, request: Handler, body: bytes, exchange: Exchange) -> Answer:
        """The answer to a request that bears the token; raises Refused."""

    def finish(self, generation_id: str) -> None:
        """End a generation now."""
        self._made[generation_id].end()

    def forget(self, generation_id: str) -> None:
        """End a generation, and delete its result."""
        generation = self._made[generation_id]
        generation.end()
        generation.outcome = replace(generation.outcome, erased=True)

    def answer(self, request: Handler, body: bytes, exchange: Exchange) -> Answer:
        """A file for any caller that knows its URL; everything else only for a caller that bears the token."""
        if file := _DELIVERY.fullmatch(request.path):
            return self._deliver(file[1], file[2], request)
        bears_token = not self.token or request.headers.get("Authorization") == f"{self.scheme} {self.token}"
        fault = None if bears_token else _UNAUTHORIZED
        return self.faults.apply(fault, lambda: self.route(request, body, exchange))

    def reply(self, operation: Operation, proper: Callable[[], Answer], about: G | None = None) -> Answer:
        """The answer to any other request, unless a fault meets it; `about` is the generation it names, if any."""
        fault = self.faults.at(operation, prompt=about.prompt if about else "", model=about.model if about else "")
        return self.faults.apply(fault, proper)

    def find(self, generation_id: str) -> G | None:
        """A generation, None if there is none of this id."""
        return self._made.get(generation_id)

    def poll(self, found: G) -> G:
        """A generation, one poll further."""
        found.polled(polls=self.polls, seconds=self.seconds)
        return found

    def _deliver(self, generation_id: str, name: str, request: Handler) -> Answer:
        """A result's file, or the range of it that the headers ask for."""
        found = self.find(generation_id)
        file = next((file for file in found.files if file.name == name), None) if found else None
        if file is None:
            return _NO_FILE
        return self.reply(Operation.FILE, lambda: file_answer(file, request.headers), found)


class CallingStandIn(QueuedStandIn[G], ABC):
    """One that calls back: `call_back` sends the callback, as often as it is called."""

    @abstractmethod
    def worded(self, generation: G, webhook: str) -> Callback:
        """The callback about a generation to this URL, in the provider's words."""

    def callback(self, generation_id: str) -> Callback:
        """The callback about a generation in its present state; raises LookupError if none was requested."""
        generation = self._made[generation_id]
        if generation.webhook is None:
            raise LookupError(f"no callback was requested for {generation_id}")
        return self.worded(generation, generation.webhook)

    def call_back(self, generation_id: str) -> int:
        """Send that callback; returns the status of the answer."""
        return self.callback(generation_id).send()
