"""One life: what callers, the queue and the schedule do to the product while time passes, whoever dies meanwhile."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.harness.product import Answer
from tests.kill.edge import Moment
from tests.kill.network import PROVIDER_CALL, Send
from tests.kill.parts import Telling
from tests.kill.stage import VISIBILITY, Stage

CALL = 20.0  # seconds a generation takes, or to ask for one
ASKING = 1.0  # seconds any other call to a provider takes
SWEEP_EVERY = 60.0
REFUSED_FOR_NOW = (429, 503)  # a provider does not count what it does not let in
MOST_STEPS = 200


@dataclass
class Life(Stage):
    """The product in the hands of its callers, of SQS and of the schedule, from an empty account until all is quiet."""

    names: dict[str, str] = field(default_factory=dict)
    starts: list[float] = field(default_factory=list)
    most_at_once: int = 0
    _at_once: int = 0
    _meanwhile: Callable[[], None] | None = None
    _next_sweep: float = field(default_factory=lambda: time.time() + SWEEP_EVERY)

    # --- callers ---

    def submit(self, name: str, body: dict[str, Any], *, patient: bool = True) -> str:
        """A job under this name; "" if the function died and its caller was not patient.

        A patient caller sends an Idempotency-Key and repeats the request until it is answered.
        """
        headers = {"Idempotency_Key": name} if patient else {}
        tagged = {**body, "tags": {"name": name}}
        answer = self._ask("submit", lambda: self.product.post("/generate", tagged, **headers), patient=patient)
        if answer is None:
            return ""
        assert answer.status in (200, 202), answer.body
        self.names[answer.json["id"]] = name
        return str(answer.json["id"])

    def cancel(self, job_id: str) -> None:
        """Cancelled, however often it takes."""
        answer = self._ask("jobs", lambda: self.product.post(f"/jobs/{job_id}/cancel"))
        assert answer is None or answer.status == 200, answer.body

    def retry(self, job_id: str) -> str:
        """The id of the new job, however often it takes."""
        answer = self._ask("jobs", lambda: self.product.post(f"/jobs/{job_id}/retry"))
        assert answer is not None
        assert answer.status in (200, 202), answer.body
        self.names[answer.json["id"]] = f"retry of {self.names[job_id]}"
        return str(answer.json["id"])

    def delete(self, job_id: str) -> None:
        """Erased, however often it takes."""
        answer = self._ask("jobs", lambda: self.product.delete(f"/jobs/{job_id}"))
        assert answer is not None
        assert answer.status == 204, answer.body

    def meanwhile(self, act: Callable[[], None]) -> None:
        """Have this happen while the provider works on the next call."""
        self._meanwhile = act

    # --- the queue and the schedule ---

    def deliver(self) -> None:
        """Hand over every message that is due. One whose function dies stays, and comes again when it is visible."""
        while self.deliver_once():
            pass

    def hear_back(self) -> None:
        """The provider says that its latest generation is done, if it has made one."""
        for latest in self.part.generations()[-1:]:
            self.server.finish(latest)
            said = self.server.callback(latest)
            if self.part.tells is Telling.NOTICE:
                self.notify(said)
            else:
                self.call_back(said.url, said.body)

    def crash_worker(self, moment: Moment, operation: str = PROVIDER_CALL) -> None:
        """Have the next generator die at its next call of this operation, besides whatever else is struck."""
        self.edge.ambush(operation, moment)

    # --- time ---

    def pass_time(self, seconds: float) -> None:
        """Let time pass: messages as they come due, a sweep every minute."""
        until = time.time() + seconds
        self.deliver()
        while time.time() < until:
            self._step(min(until, _next(self.starts_of_open_jobs())))
            self.deliver()

    def settle(self) -> None:
        """Let time pass until every job has ended and no message is left."""
        for _ in range(MOST_STEPS):
            self.deliver()
            if not (starts := self.starts_of_open_jobs()):
                return
            self._step(_next(starts))

    def come_again(self) -> None:
        """What was in flight comes again, and then every message ever sent once more: SQS delivers at least once."""
        self.clock.shift(VISIBILITY)
        self.deliver()
        self.sweep()
        for body in dict.fromkeys(self.handed_over):
            self.hand_over(body)

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """What happens within is only how it came to the life in question."""
        with self.edge.undisturbed():
            yield

    # --- what is there ---

    def starts_of_open_jobs(self) -> list[float]:
        """When the jobs that have not ended, or not been let go of, may go on."""
        return [item["not_before"] for item in self.items() if "open" in item]

    def call_provider(self, send: Send, *, starts: bool) -> Any:
        """A call that takes its time, and others do not wait for it; one that starts a generation counts if let in."""
        began, act = time.time(), self._meanwhile
        self._meanwhile = None
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        seconds = CALL if starts else ASKING
        self.clock.shift(seconds / 2)
        try:
            if act:
                with self.edge.outside():
                    act()
            answer = send()
        finally:
            self._at_once -= 1
            self.clock.shift(seconds / 2)
        if starts and answer.status_code not in REFUSED_FOR_NOW:
            self.starts.append(began)
        return answer

    def _ask(self, function: str, request: Callable[[], Answer], *, patient: bool = True) -> Answer | None:
        while (answer := self.run(function, request)) is None and patient:
            self.clock.shift(5)
        return answer

    def _step(self, until: float) -> None:
        """On to this time, or to the next sweep."""
        self.clock.move_to(min(until, self._next_sweep))
        if time.time() >= self._next_sweep:
            self._next_sweep = time.time() + SWEEP_EVERY
            self.sweep()


def _next(starts: list[float]) -> float:
    return min((math.ceil(start) for start in starts if start > time.time()), default=math.inf)
