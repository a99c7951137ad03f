"""A stand-in whose generations are asked for by reference: how they are made, polled, stopped, fetched, told of."""

import re
import threading
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Generic, TypeVar

from local.stand_ins.framework.answers import Answer, Refused
from local.stand_ins.framework.callback import Callback
from local.stand_ins.framework.faults import SLOW, Fault, Faults, Mishaps, Stage
from local.stand_ins.framework.files import file_answer
from local.stand_ins.framework.generations import Generation
from local.stand_ins.framework.listener import Handler
from local.stand_ins.framework.memory import Exchange
from local.stand_ins.framework.server import AnsweringStandIn

_DELIVERY = re.compile(r"/delivery/([\w-]+)/([\w.-]+)")
_NO_FILE = Answer(status=404, content_type="text/plain", body=b"Not found")

G = TypeVar("G", bound=Generation)
T = TypeVar("T")


class QueuedStandIn(AnsweringStandIn, Generic[G, T]):
    """Speaks a provider's API at `url` from `start()` (or `with`) until `close()`; result files lie on it too.

    A generation is over once it was polled `polls` times and is `seconds` old, whichever comes last; `finish` ends one
    at once. `quick` renders the least that is valid, `token` is what it insists on under its `scheme`. `mishaps` is
    all that can go wrong.
    """

    scheme = "Bearer"
    mishaps: Mishaps[T]

    def __init__(
        self, *, port: int = 0, quick: bool = False, polls: int = 1, seconds: float = 0.0, token: str | None = None
    ) -> None:
        super().__init__(port)
        self.quick, self.polls, self.seconds, self.token = quick, polls, seconds, token
        self.faults: Faults[T] = Faults(self.mishaps)
        self._made: dict[str, G] = {}
        self._lock = threading.Lock()

    @abstractmethod
    def route(self, asked: Handler, body: bytes, exchange: Exchange) -> Answer:
        """The answer to a request that bears the token; raises Refused."""

    @property
    def made(self) -> list[G]:
        """Every generation made so far, in order."""
        with self._lock:
            return list(self._made.values())

    @property
    def generations(self) -> int:
        """How many of them would be billed."""
        return sum(generation.billed for generation in self.made)

    def fault(self, fault: str, **details: Any) -> None:
        """Let something go wrong from now on; the details are Fault's fields."""
        self.faults.add(self.mishaps.rule(fault, details))

    def finish(self, generation_id: str) -> None:
        """End a generation now."""
        self._made[generation_id].end()

    def forget(self, generation_id: str) -> None:
        """End a generation, and keep its result no longer."""
        generation = self._made[generation_id]
        generation.end()
        generation.fate = replace(generation.fate, erased=True)

    def clear(self) -> None:
        """Forget faults, requests and generations."""
        self.faults.clear()
        self.memory.clear()
        with self._lock:
            self._made.clear()

    def answer(self, asked: Handler, body: bytes, exchange: Exchange) -> Answer:
        """A file to anybody who knows its address, all else to who bears the token."""
        if file := _DELIVERY.fullmatch(asked.path):
            return self._deliver(file[1], file[2], asked)
        if self.token and asked.headers.get("Authorization") != f"{self.scheme} {self.token}":
            return self.mishaps.refusals["unauthorized"](Fault(fault="unauthorized"))
        return self.route(asked, body, exchange)

    def generate(self, prompt: str, make: Callable[[], G]) -> G:
        """Make a generation; raises Refused where the order goes wrong, also after it was made nonetheless."""
        fault = self.faults.at(Stage.CREATE, prompt)
        if fault and not self.mishaps.creates(fault):
            self._befall(fault)
        made = make()
        with self._lock:
            self._made[made.id] = made
        if fault:
            self._befall(fault)
        return made

    def find(self, generation_id: str, stage: Stage) -> G | None:
        """The generation that is asked about, None where there is none; raises Refused where the asking goes wrong."""
        found = self._made.get(generation_id)
        self.pass_through(stage, found.prompt if found else "")
        return found

    def poll(self, found: G) -> G:
        """A generation, one poll further."""
        found.polled(polls=self.polls, seconds=self.seconds)
        return found

    def pass_through(self, stage: Stage, prompt: str = "") -> None:
        """Let a request come past a stage; raises Refused where it goes wrong there."""
        if fault := self.faults.at(stage, prompt):
            self._befall(fault)

    def _deliver(self, generation_id: str, name: str, asked: Handler) -> Answer:
        """A result's file, or as much of it as the headers ask for."""
        found = self._made.get(generation_id)
        file = next((file for file in found.files if file.name == name), None) if found else None
        if found is None or file is None:
            return _NO_FILE
        fault, sound = self.faults.at(Stage.FILE, found.prompt), file_answer(file, asked.headers)
        if fault and fault.fault in self.mishaps.files:
            return self.mishaps.files[fault.fault](fault, sound)
        if fault:
            self._befall(fault)
        return sound

    def _befall(self, fault: Fault) -> None:
        """Be slow, or raise Refused."""
        if fault.fault != SLOW:
            raise Refused(self.mishaps.refusals[fault.fault](fault))
        self.closed.wait(fault.seconds)


class CallingStandIn(QueuedStandIn[G, T]):
    """One that calls back, by `call_back`, when and as often as it is called."""

    @abstractmethod
    def told(self, generation: G, webhook: str) -> Callback:
        """The callback about a generation to this address, in the provider's words."""

    def callback(self, generation_id: str) -> Callback:
        """The callback about a generation as it now is, to the URL that was given for it."""
        generation = self._made[generation_id]
        if generation.webhook is None:
            raise LookupError(f"nobody asked to be called back about {generation_id}")
        return self.told(generation, generation.webhook)

    def call_back(self, generation_id: str) -> int:
        """Make that callback; the status it was answered with."""
        return self.callback(generation_id).send()
